package service_test

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
)

// wantReplayed makes sure that a repeated command got the first answer.
func wantReplayed(t *testing.T, first service.Outcome, again service.Outcome, err error) {
	t.Helper()
	switch {
	case err != nil:
		t.Errorf("the repeat: %v", err)
	case !again.Replayed:
		t.Error("the repeat ran as a new command")
	case !reflect.DeepEqual(again.Answer, first.Answer):
		t.Errorf("the repeat was answered %+v, the first %+v", again.Answer, first.Answer)
	}
}

// The till loses the answer, is moved to another region's endpoint and sends the sale again.
func TestRetryAfterALostAnswerPostsOnce(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku := y.product(t, 10, nyc)
		caller, sale := y.fresh(), move("sell", nyc, sku, 3)
		release := y.block(t, nyc, sku)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := y.pods[0].Move(ctx, caller, sale); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("answered %v although the row was locked", err)
		}
		release() // the command is in the database by now, and goes on
		first := y.must(t)(y.pods[1].Move(t.Context(), caller, sale))
		for _, pod := range y.pods {
			again, err := pod.Move(t.Context(), caller, sale)
			wantReplayed(t, first, again, err)
		}
		y.wants(t, nyc, sku, 7, 0, 0, 0)
	})
}

// Whatever the command was, its answer can be had again, and doesn't change with the stock.
func TestEveryCommandGivesItsAnswerAgain(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku, ctx := y.product(t, 10, nyc), t.Context()
		var placed string
		part := int64(2)
		some := service.StepInput{Lines: []service.SelectionInput{{SKU: sku, Quantity: &part}}}
		commands := []struct {
			name string
			run  func(*service.Service, service.Caller) (service.Outcome, error)
		}{
			{"receive", func(p *service.Service, c service.Caller) (service.Outcome, error) {
				return p.Move(ctx, c, move("receive", nyc, sku, 5))
			}},
			{"reserve", func(p *service.Service, c service.Caller) (service.Outcome, error) {
				return p.Reserve(ctx, c, reserve(sku, 8, ""))
			}},
			{"extend", func(p *service.Service, c service.Caller) (service.Outcome, error) {
				return p.Extend(ctx, c, placed, service.StepInput{ExpiresIn: "1h"})
			}},
			{"confirm", func(p *service.Service, c service.Caller) (service.Outcome, error) {
				return p.Confirm(ctx, c, placed, service.StepInput{})
			}},
			{"fulfil", func(p *service.Service, c service.Caller) (service.Outcome, error) {
				return p.Fulfil(ctx, c, placed, some)
			}},
			{"release", func(p *service.Service, c service.Caller) (service.Outcome, error) {
				return p.Release(ctx, c, placed, some)
			}},
		}
		for i, command := range commands {
			caller := y.as("again/%s", command.name)
			first := y.must(t)(command.run(y.pods[i%3], caller))
			if command.name == "reserve" {
				placed = first.Reservation.ID.String()
			}
			y.receive(t, nyc, sku, 1)
			again, err := command.run(y.pods[(i+1)%3], caller)
			t.Run(command.name, func(t *testing.T) { wantReplayed(t, first, again, err) })
		}
		y.wants(t, nyc, sku, 10+5-2+6, 0, 4, 0)
	})
}

// A refusal was an answer too: the units that came since don't turn a repeat into a new command.
func TestRefusalIsGivenAgain(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku, caller := y.product(t, 1, nyc), y.fresh()
		if _, err := y.pods[0].Reserve(t.Context(), caller, reserve(sku, 5, nyc)); !isShort(err) {
			t.Fatal(err)
		}
		y.receive(t, nyc, sku, 100)
		_, err := y.pods[1].Reserve(t.Context(), caller, reserve(sku, 5, nyc))
		var replayed *service.ReplayedRefusal
		if !isShort(err) || !errors.As(err, &replayed) {
			t.Errorf("the repeat: %v", err)
		}
		y.wants(t, nyc, sku, 101, 0, 0, 0)
	})
}

func TestDuplicateCommandsRaceAtThreeRegions(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		for round := range y.size(15, 5) {
			sku, caller := y.product(t, 100, sites...), y.fresh()
			outcomes := make([]service.Outcome, 9)
			atOnce(len(outcomes), func(i int) {
				var err error
				switch round % 3 {
				case 0:
					outcomes[i], err = y.pods[i%3].Move(t.Context(), caller, moveAll("sell", lon, 2, sku))
				case 1:
					outcomes[i], err = y.pods[i%3].Reserve(t.Context(), caller, reserve(sku, 2, ""))
				case 2:
					outcomes[i], err = y.pods[i%3].Reserve(t.Context(), caller, reserve(sku, 2, sin, nyc))
				}
				if err != nil {
					t.Error(err)
				}
			})
			fresh := 0
			for _, o := range outcomes {
				if !o.Replayed {
					fresh++
				}
				if !reflect.DeepEqual(o.Answer, outcomes[0].Answer) {
					t.Errorf("round %d: answers differ: %+v and %+v", round, o.Answer, outcomes[0].Answer)
				}
			}
			var gone int64
			for _, site := range sites {
				gone += 100 - y.level(t, site, sku).Available
			}
			if want := []int64{2, 2, 4}[round%3]; fresh != 1 || gone != want {
				t.Errorf("round %d: took effect %d times; %d units gone, want %d", round, fresh, gone, want)
			}
		}
	})
}

func TestSameKeyWithAnotherBodyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku, caller := y.product(t, 100, nyc), y.fresh()
		y.must(t)(y.pods[0].Move(t.Context(), caller, move("sell", nyc, sku, 1)))
		if _, err := y.pods[1].Move(t.Context(), caller, move("sell", nyc, sku, 2)); !errors.Is(err, service.ErrKeyReused) {
			t.Errorf("another quantity: %v", err)
		}
		if _, err := y.pods[2].Reserve(t.Context(), caller, reserve(sku, 1, nyc)); !errors.Is(err, service.ErrKeyReused) {
			t.Errorf("another operation: %v", err)
		}
		if _, err := y.pods[0].Move(t.Context(), caller, move("receive", lon, sku, 1)); !errors.Is(err, service.ErrKeyReused) {
			t.Errorf("a command of another home region, at the same pod: %v", err)
		}
		// At once, nobody having used it before: one body wins, and all who sent it get its answer.
		for range y.size(10, 4) {
			caller := y.fresh()
			before := y.level(t, nyc, sku).OnHand
			var accepted [2]atomic.Int64
			atOnce(8, func(i int) {
				_, err := y.pods[i%3].Move(t.Context(), caller, move("sell", nyc, sku, int64(1+i%2)))
				switch {
				case err == nil:
					accepted[i%2].Add(1)
				case !errors.Is(err, service.ErrKeyReused):
					t.Error(err)
				}
			})
			ones, twos := accepted[0].Load(), accepted[1].Load()
			if ones+twos != 4 || ones*twos != 0 {
				t.Errorf("%d got an answer for one unit, %d for two", ones, twos)
			}
			if sold := before - y.level(t, nyc, sku).OnHand; sold != ones/4+2*(twos/4) {
				t.Errorf("%d units sold", sold)
			}
		}
	})
}

func TestDryRunLeavesNoTrace(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku, caller := y.product(t, 2, nyc), y.fresh()
		dry := caller
		dry.DryRun = true
		y.must(t)(y.pods[0].Reserve(t.Context(), dry, reserve(sku, 2, nyc)))
		if _, err := y.pods[0].Move(t.Context(), dry, move("sell", nyc, sku, 3)); !isShort(err) {
			t.Error(err)
		}
		y.wants(t, nyc, sku, 2, 0, 0, 0)
		if o := y.must(t)(y.pods[1].Move(t.Context(), caller, move("sell", nyc, sku, 2))); o.Replayed {
			t.Error("the dry run used the key up")
		}
		dry.Key = ""
		if _, err := y.pods[2].Move(t.Context(), dry, move("sell", nyc, sku, 1)); refusalOf(err) != inventory.InsufficientStock {
			t.Error(err)
		}
	})
}

// The channel an order came through was closed, or sells from other places now, before its client
// asks again: the answer is the one it had.
func TestAnswerOutlivesItsChannel(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		sku, channel := y.product(t, 10, nyc), "shop-"+y.run
		put := func(at string) {
			t.Helper()
			_, _, err := y.pods[0].PutChannel(t.Context(), tester, inventory.Channel{Name: channel, Title: channel, Kind: "web", Locations: []string{at}}, service.Precondition{})
			if err != nil {
				t.Fatal(err)
			}
		}
		put(nyc)
		order, sale := reserve(sku, 1, nyc), move("sell", nyc, sku, 1)
		order.Channel, sale.Channel = channel, channel
		orderCaller, saleCaller := y.fresh(), y.fresh()
		placed := y.must(t)(y.pods[0].Reserve(t.Context(), orderCaller, order))
		sold := y.must(t)(y.pods[0].Move(t.Context(), saleCaller, sale))
		put(lon)
		again, err := y.pods[0].Reserve(t.Context(), orderCaller, order)
		wantReplayed(t, placed, again, err)
		if err := y.pods[0].ArchiveChannel(t.Context(), tester, channel, service.Precondition{}); err != nil {
			t.Fatal(err)
		}
		again, err = y.pods[0].Reserve(t.Context(), orderCaller, order)
		wantReplayed(t, placed, again, err)
		again, err = y.pods[0].Move(t.Context(), saleCaller, sale)
		wantReplayed(t, sold, again, err)
		if _, err := y.pods[0].Move(t.Context(), y.fresh(), sale); refusalOf(err) != inventory.NotFound {
			t.Errorf("a new sale through a closed channel: %v", err)
		}
		y.wants(t, nyc, sku, 9, 1, 0, 0)
	})
}
