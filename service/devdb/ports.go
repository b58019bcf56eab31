package devdb

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
)

// FreePorts gives n ports of 127.0.0.1 that nobody listens on, each to one caller only of all the
// processes that ask here, as far as the system lets a port be claimed. They lie below the ranges from
// which systems give ports to outgoing connections, so that a server that is down for a moment finds
// its port free when it comes back.
func FreePorts(n int) ([]int, error) {
	const from, to, tries = 20000, 30000, 1000
	var ports []int
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		if port := from + rand.IntN(to-from); !slices.Contains(ports, port) && claim(port) {
			ports = append(ports, port)
		}
	}
	return nil, fmt.Errorf("no free port between %d and %d", from, to)
}

// allFree says whether nobody listens on any of the ports.
func allFree(ports ...int) bool {
	for _, port := range ports {
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
