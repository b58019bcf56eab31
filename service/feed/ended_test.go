package feed

import (
	"errors"
	"testing"

	"stockyard/service/store"
)

func TestWhatEndedSaysWhetherTheHubFails(t *testing.T) {
	hub := NewHub(nil, Options{})
	for i, c := range []struct {
		err   error
		fails bool
	}{
		{store.ErrUnavailable, true},
		{errors.Join(store.ErrUnavailable, store.ErrFeedStandsStill), false},
		{errors.Join(store.ErrFeedGone, store.ErrFeedStandsStill), false},
		{errors.New("permission denied"), true},
		{store.ErrUnavailable, true},
	} {
		if hub.ended(c.err); hub.Failing() > 0 != c.fails {
			t.Errorf("%d: after %v it fails: %t", i, c.err, !c.fails)
		}
	}
}
