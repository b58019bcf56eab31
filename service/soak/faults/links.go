package faults

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"stockyard/service/soak/yard"
)

// links break what lies between pods and their database.
var links = []fault{
	{"connections cut", 4, always, cut},
	{"connections delayed", 2, always, delay},
	{"answers swallowed", 3, always, mute},
	{"connections half-closed", 3, always, halfClose},
	{"every region cut off", 1, always, cutAll},
}

func one(y *yard.Yard, random *rand.Rand) *yard.Link {
	return y.Links()[random.IntN(len(y.Links()))]
}

func cut(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	return one(y, random).Cut(ctx, between(random, 0, time.Second))
}

// cutAll breaks all connections of all pods at the same moment.
func cutAll(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	while := between(random, 0, 2*time.Second)
	errs := make([]error, len(y.Links()))
	var wg sync.WaitGroup
	for i, l := range y.Links() {
		wg.Go(func() { errs[i] = l.Cut(ctx, while) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func delay(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	return one(y, random).Delay(ctx, between(random, 5*time.Millisecond, 250*time.Millisecond), between(random, time.Second, 3*time.Second))
}

func mute(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	return one(y, random).Mute(ctx, between(random, 50*time.Millisecond, 2*time.Second))
}

func halfClose(ctx context.Context, y *yard.Yard, random *rand.Rand) error {
	return one(y, random).HalfClose(ctx, 500+random.IntN(20_000), between(random, 200*time.Millisecond, 2*time.Second))
}
