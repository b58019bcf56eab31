package devdb

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePorts gives n ports of 127.0.0.1 that nobody listens on. They lie below the ranges from which
// systems give ports to outgoing connections, so that a server that is down for a moment finds its
// port free when it comes back.
func FreePorts(n int) ([]int, error) {
	const from, to, tries = 20000, 30000, 1000
	var ports []int
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		port := from + rand.IntN(to-from)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		// Held until all are found, or the same one could be drawn twice.
		defer l.Close()
		ports = append(ports, port)
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
