package service

import (
	"errors"
	"strings"
	"testing"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
)

// bomb stands for a bug in the rules.
type bomb struct{}

func (bomb) Needs() inventory.Needs                            { return inventory.Needs{} }
func (bomb) Decide(*inventory.Draft) (inventory.Answer, error) { panic("bomb") }

// A client would carry a command that takes a pod down from pod to pod.
func TestPanicOfACommandLeavesThePodAlive(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		var told error
		s := New(db.Store, Options{Topology: db.Topology, Lanes: 1, OnInternal: func(err error) { told = err }})
		defer s.Close()
		run := func(c inventory.Command) error {
			_, err := s.submit(t.Context(), Caller{Principal: auth.Nobody, Key: inventory.ID{Region: "test", UUID: random()}.String()}, task{
				command: c, operation: string(auth.MoveBatch), home: db.Topology.Primary, id: random(), hash: []byte("x"),
			})
			return err
		}
		if err := run(bomb{}); !errors.Is(err, ErrInternal) {
			t.Errorf("answered %v", err)
		}
		if told == nil || !strings.Contains(told.Error(), "panic_test.go") {
			t.Errorf("the log doesn't say where: %v", told)
		}
		if err := run(&inventory.Group{}); err != nil {
			t.Errorf("the lane is stuck: %v", err)
		}
		if _, inUse, _ := db.PoolStats(); inUse != 0 {
			t.Errorf("%d connections leaked", inUse)
		}
	})
}
