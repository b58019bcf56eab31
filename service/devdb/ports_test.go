package devdb_test

import (
	"fmt"
	"net"
	"runtime"
	"testing"

	"stockyard/service/devdb"
)

// A port is given once, even while nobody listens on it yet; and it can be listened on.
func TestAPortIsGivenOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: only Linux lets a port be claimed")
	}
	given := map[int]bool{}
	for range 10 {
		ports, err := devdb.FreePorts(50)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range ports {
			if given[port] {
				t.Fatalf("%d was given twice", port)
			}
			given[port] = true
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
