package httpapi

import (
	"regexp"
	"testing"
	"time"
)

// What is taken for a time is what the document says, and never longer than is allowed.
func FuzzRequestTimeout(f *testing.F) {
	documented := regexp.MustCompile(requestTimeout)
	for _, header := range []string{"", "5", "0.5", ".5s", "+1h2m", "5.", "1e3", "Inf", "NaN", "-1s", "1_0", "0x1p4", "1µs", "1μs", "99999999999999999999", "9223372036854775807ns", "2562047h47m16.854775807s"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		d, err := readTimeout(header, time.Second, time.Minute)
		switch {
		case err != nil:
		case d <= 0 || d > time.Minute:
			t.Errorf("%q is %v", header, d)
		case header != "" && !documented.MatchString(header):
			t.Errorf("%q is %v, and the document forbids it", header, d)
		}
	})
}
