package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stockyard/service/auth"
)

// shelf is a source of keys that can be made to wait or fail. (On real databases keys are tested
// with the service.)
type shelf struct {
	mu    sync.Mutex
	keys  map[string]auth.Key
	err   error
	used  [][]string
	asked atomic.Int64
	most  atomic.Int64
	busy  atomic.Int64
	slow  time.Duration
}

func (s *shelf) Key(ctx context.Context, id string) (auth.Key, bool, error) {
	s.asked.Add(1)
	if busy := s.busy.Add(1); busy > s.most.Load() {
		s.most.Store(busy)
	}
	defer s.busy.Add(-1)
	select {
	case <-time.After(s.slow):
	case <-ctx.Done():
		return auth.Key{}, false, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, found := s.keys[id]
	return key, found, s.err
}

func (s *shelf) KeysUsed(_ context.Context, ids []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.used = append(s.used, ids)
	}
	return s.err
}

func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// add puts a new key on the shelf and gives its text.
func (s *shelf) add() (id, text string) {
	key := auth.NewAPIKey()
	s.set(func() {
		s.keys[key.ID] = auth.Key{ID: key.ID, Name: "till", Hash: key.Hash(), Status: auth.KeyActive, Grants: []auth.Grant{{Role: auth.POS}}}
	})
	return key.ID, key.Reveal()
}

// bubble runs a test on a clock of its own, and what reads on the side to its end.
func bubble(t *testing.T, test func(t *testing.T, s *shelf, keys *auth.Keys)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{keys: map[string]auth.Key{}}
		test(t, s, auth.NewKeys(s, slog.New(slog.DiscardHandler)))
		time.Sleep(time.Minute)
	})
}

// writes is how often uses were written.
func (s *shelf) writes() (n int) {
	s.set(func() { n = len(s.used) })
	return n
}

func TestAKeyIsReadOnceForManyRequests(t *testing.T) {
	bubble(t, func(t *testing.T, s *shelf, keys *auth.Keys) {
		s.slow = 100 * time.Millisecond
		id, text := s.add()
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if p, err := keys.Authenticate(t.Context(), text); err != nil || p.ID != id || p.Actor() != "key:"+id || !p.May(auth.Reserve) {
					t.Errorf("%+v, %v", p, err)
				}
			})
		}
		wg.Wait()
		if n := s.asked.Load(); n != 1 {
			t.Errorf("a thousand requests at once read the key %d times", n)
		}
		// While the key is in use it is read again on the side: nobody waits for it.
		for range 100 {
			time.Sleep(500 * time.Millisecond)
			began := time.Now()
			if _, err := keys.Authenticate(t.Context(), text); err != nil || time.Since(began) > 0 {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
		}
		if n := s.asked.Load(); n > 30 {
			t.Errorf("in 50 s the key was read %d times", n)
		}
	})
}

func TestARevokedKeyStopsWithinSeconds(t *testing.T) {
	bubble(t, func(t *testing.T, s *shelf, keys *auth.Keys) {
		id, text := s.add()
		stop := time.Now()
		for i := range 200 {
			if i == 50 {
				stop = time.Now()
				s.set(func() { k := s.keys[id]; k.Status = auth.KeyRevoked; s.keys[id] = k })
			}
			_, err := keys.Authenticate(t.Context(), text)
			switch {
			case i < 50 && err != nil:
				t.Fatal(err)
			case i >= 50 && time.Since(stop) > 5*time.Second && !errors.Is(err, auth.ErrBadCredential):
				t.Fatalf("%s after it was revoked: %v", time.Since(stop), err)
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
	})
}

func TestBadKeysAreRefused(t *testing.T) {
	s := &shelf{keys: map[string]auth.Key{}}
	keys := auth.NewKeys(s, slog.Default())
	id, text := s.add()
	stranger := auth.NewAPIKey()
	s.set(func() { s.keys[stranger.ID] = s.keys[id] }) // another key's id: the secret doesn't fit
	for what, text := range map[string]string{
		"mistyped": text[:30] + "!" + text[31:], "unknown": auth.NewAPIKey().Reveal(), "of another secret": stranger.Reveal(),
	} {
		if _, err := keys.Authenticate(t.Context(), text); !errors.Is(err, auth.ErrBadCredential) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := s.asked.Load(); n != 2 {
		t.Errorf("the source was asked %d times; a typo needs no asking", n)
	}
}

// Without its source a pod lets nobody in for longer than what it knows is good, and says that it
// doesn't know, not that the key is bad.
func TestAnOutageIsNoRefusal(t *testing.T) {
	bubble(t, func(t *testing.T, s *shelf, keys *auth.Keys) {
		_, text := s.add()
		if _, err := keys.Authenticate(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		s.set(func() { s.err = errors.New("no database") })
		time.Sleep(3 * time.Second)
		if _, err := keys.Authenticate(t.Context(), text); err != nil {
			t.Errorf("after 3 s: %v", err)
		}
		time.Sleep(2 * time.Second)
		if _, err := keys.Authenticate(t.Context(), text); !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrBadCredential) {
			t.Errorf("after 5 s: %v", err)
		}
		s.set(func() { s.err = nil })
		if _, err := keys.Authenticate(t.Context(), text); err != nil {
			t.Errorf("the source is back: %v", err)
		}
	})
}

// Keys with a good checksum are easily made up. They neither take all connections to the database
// nor push out what is known of real keys.
func TestMadeUpKeysHarmNobody(t *testing.T) {
	bubble(t, func(t *testing.T, s *shelf, keys *auth.Keys) {
		_, text := s.add()
		if _, err := keys.Authenticate(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		s.slow = time.Millisecond
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				for range 40 {
					if _, err := keys.Authenticate(t.Context(), auth.NewAPIKey().Reveal()); err == nil {
						t.Error("a made-up key is taken")
					}
				}
			})
		}
		wg.Wait()
		if most := s.most.Load(); most > 8 {
			t.Errorf("%d lookups at once", most)
		}
		asked := s.asked.Load()
		if _, err := keys.Authenticate(t.Context(), text); err != nil {
			t.Errorf("the real key: %v", err)
		}
		if s.asked.Load() > asked+1 {
			t.Error("the real key was forgotten")
		}
	})
}

func TestUsesAreWrittenOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T, s *shelf, keys *auth.Keys) {
		id, text := s.add()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); keys.Run(ctx) }()
		use := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
				if _, err := keys.Authenticate(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
		}
		use(5 * time.Minute)
		if n := s.writes(); n < 4 || n > 5 || s.used[0][0] != id {
			t.Errorf("in 5 minutes a key's use was written %d times: %v", n, s.used)
		}
		// What is used last before the pod stops is written too.
		_, other := s.add()
		if _, err := keys.Authenticate(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		before := s.writes()
		stop()
		<-done
		if s.writes() != before+1 {
			t.Error("the last use is lost")
		}
	})
}
