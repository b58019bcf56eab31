package load

import "time"

// kind is what an operation does.
type kind int

// The kinds. Every one that changes stock is about one unit.
const (
	availability kind = iota
	reserve
	confirm
	fulfil
	receive
	sell
	kinds int = iota
)

var kindNames = [kinds]string{"availability", "reserve", "confirm", "fulfil", "receive", "sell"}

func (k kind) String() string { return kindNames[k] }

// operation is one request to the service, whichever way it goes, and however often.
type operation struct {
	kind  kind
	level int    // of the stage
	id    string // of the reservation that confirm and fulfil are about
	key   string // the idempotency key
}

// verdict is what an attempt came to.
type verdict int

const (
	done    verdict = iota
	refused         // for want of stock or because of a state: an answer as good as done
	later           // asked to come back later; it may have been run all the same
	lost            // no answer: the pod can't be reached or went away
	wrong           // refused for a reason that repeating can't change; without effect
	broken          // an internal error: nobody knows whether it had an effect
)

// answer is what came back from an attempt.
type answer struct {
	verdict verdict
	id      string        // of the reservation made, where the scenario needs it
	after   time.Duration // later: the pause asked for
	why     string        // what was wrong, for people
}

// door is a way into the service, for one client: it is used by one goroutine at a time.
type door interface {
	// try sends the operation once, to a target, and waits for its answer so long.
	try(target int, op operation, patience time.Duration) answer
}

// doors makes doors, which share connections.
type doors interface {
	open(client int, s *stage, steps bool) door
	close()
}

func openDoors(p *Plan) (doors, error) {
	if len(p.GRPC) > 0 {
		return openGRPC(p)
	}
	return openREST(p)
}
