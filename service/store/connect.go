package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout bounds one attempt at one address where the URL has no connect_timeout: a busy
	// server takes seconds to answer a newcomer, and one that is gone without a word must not hold its
	// callers up for long.
	connectTimeout = 5 * time.Second
	connectTries   = 4
	// No further attempt begins when so much time has gone by.
	connectPatience = 5 * time.Second
)

// acquire gives a connection of the pool.
func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	return reach(ctx, s.pool.Acquire)
}

// onConn runs fn on a connection of the pool.
func (s *Store) onConn(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err = fn(conn.Conn()); err == nil {
		s.answered.Store(time.Now().UnixNano())
	}
	return err
}

// onOwnConn runs fn on a connection that is not the pool's.
func (s *Store) onOwnConn(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := reach(ctx, func(ctx context.Context) (*pgx.Conn, error) {
		return pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if err := s.setUpSession(ctx, conn); err != nil {
		return err
	}
	return fn(conn)
}

// reach connects, a few times where the database can't be reached: nothing was asked of it yet.
// Connections that others have are left alone, for one that is slow to come says nothing about them.
// Errors: ErrUnavailable, the context's, or what the server has against the newcomer.
func reach[C any](ctx context.Context, connect func(context.Context) (C, error)) (C, error) {
	began := time.Now()
	for attempt := 1; ; attempt++ {
		conn, err := connect(ctx)
		if err == nil || ctx.Err() != nil || !isLost(err) && !isFull(err) {
			return conn, err
		}
		if attempt == connectTries || time.Since(began) > connectPatience || pause(ctx, attempt) != nil {
			// The driver's words only: the time that was up was its own, and no deadline of the caller's.
			return conn, fmt.Errorf("%w: %s", ErrUnavailable, err.Error())
		}
	}
}
