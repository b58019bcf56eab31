package httpapi

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"stockyard/service"
	"stockyard/service/inventory"
)

// onceOnly are headers of which two values would leave open which one counts.
var onceOnly = []string{"Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "Request-Timeout"}

// checkHeaders refuses what would be half heard: a header that is there twice, and a condition that
// isn't known here and would be taken for one that holds.
func checkHeaders(r *http.Request) error {
	var wrong []inventory.FieldError
	add := func(is bool, name, message string) {
		if is {
			wrong = append(wrong, inventory.FieldError{Field: name, Message: message})
		}
	}
	for _, name := range onceOnly {
		add(len(r.Header.Values(name)) > 1, name, "is there more than once")
	}
	if r.Method == http.MethodGet { // what has changed since is for caches, which may ask in vain
		return refusedHeaders(wrong)
	}
	has := func(name string) bool { return r.Header.Get(name) != "" }
	add(has("If-Unmodified-Since"), "If-Unmodified-Since", "is not known here; PUT, PATCH and DELETE take If-Match")
	add(has("If-Match") && r.Method == http.MethodPost, "If-Match", "is not known here; PUT, PATCH and DELETE take it")
	if has("If-None-Match") {
		add(r.Method != http.MethodPut || r.Header.Get("If-None-Match") != "*", "If-None-Match", "can only be *, of a PUT that must make what isn't there")
		add(has("If-Match"), "If-None-Match", "can't hold together with If-Match")
	}
	return refusedHeaders(wrong)
}

func refusedHeaders(wrong []inventory.FieldError) error {
	if len(wrong) == 0 {
		return nil
	}
	return badFields(wrong...)
}

// precondition reads If-Match, and If-None-Match of a PUT.
func (r *request) precondition() (service.Precondition, error) {
	header := strings.TrimSpace(r.gin.GetHeader("If-Match"))
	if r.gin.GetHeader("If-None-Match") != "" {
		return service.Precondition{Absent: true}, nil
	}
	if header == "" || header == "*" {
		return service.Precondition{Exists: header == "*"}, nil
	}
	if !etag.MatchString(header) {
		return service.Precondition{}, badField("If-Match", `must be an ETag such as "3"`)
	}
	version, err := strconv.ParseInt(strings.Trim(header, `W/"`), 10, 64)
	if err != nil {
		return service.Precondition{}, badField("If-Match", `must be an ETag that this resource gave, such as "3"`)
	}
	return service.Precondition{Version: &version}, nil
}

// Proxies that compress make ETags weak; the version says it all the same.
var etag = regexp.MustCompile(`^(W/)?"[0-9]+"$`)
