// The story of two shelves, told by a client that a generator made from /openapi.json: catalogue,
// receipt, reservation, partial shipment, transfer over two regions, count, and the history of each
// step. The test that runs it makes client.gen.go beside it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	origin      = "story-chicago"
	destination = "story-berlin"
	sku         = "story-tea"
)

// chapter is what was known of the two shelves after a step.
type chapter struct {
	at       time.Time
	from, to string
}

type teller struct {
	api   *ClientWithResponses
	keys  int
	story []chapter
}

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	api, err := NewClientWithResponses(url)
	if err != nil {
		return err
	}
	t := &teller{api: api}
	for _, part := range []func(context.Context) error{t.catalogue, t.day, t.journey, t.history, t.refusal} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// answer is what every answer of the generated client can say.
type answer interface {
	StatusCode() int
	GetBody() []byte
}

// got gives an answer's value, or says what came instead.
func got[T any](step string, value *T, a answer) (T, error) {
	if value == nil {
		var none T
		return none, fmt.Errorf("%s: %d %s", step, a.StatusCode(), a.GetBody())
	}
	return *value, nil
}

func (t *teller) key() string {
	t.keys++
	return fmt.Sprintf("story-%d", t.keys)
}

func (t *teller) catalogue(ctx context.Context) error {
	for name, region := range map[string]string{origin: "us-east1", destination: "europe-west1"} {
		l, err := t.api.PutLocationWithResponse(ctx, name, &PutLocationParams{}, LocationInput{
			Name: name, Region: region, Kind: LocationInputKindWarehouse, Country: "US",
		})
		if err != nil {
			return err
		}
		if _, err := got("location", l.JSON201, l); err != nil {
			return err
		}
	}
	p, err := t.api.PutProductWithResponse(ctx, sku, &PutProductParams{}, ProductInput{
		Name: "Tea", UnitCost: &MoneyInput{Amount: "2.50", Currency: "GBP"},
	})
	if err != nil {
		return err
	}
	_, err = got("product", p.JSON201, p)
	return err
}

// level tells a shelf's state, now or as of a time.
func (t *teller) level(ctx context.Context, location string, query GetLevelParams) (string, error) {
	a, err := t.api.GetLevelWithResponse(ctx, location, sku, &query)
	if err != nil {
		return "", err
	}
	l, err := got("level", a.JSON200, a)
	return fmt.Sprintf("on_hand %d held %d allocated %d incoming %d available %d version %d",
		l.OnHand, l.Held, l.Allocated, l.Incoming, l.Available, l.Version), err
}

// next notes the state after a step that ended at a time.
func (t *teller) next(ctx context.Context, at time.Time) error {
	from, err := t.level(ctx, origin, GetLevelParams{})
	if err != nil {
		return err
	}
	to, err := t.level(ctx, destination, GetLevelParams{})
	t.story = append(t.story, chapter{at, from, to})
	return err
}

func (t *teller) move(ctx context.Context, kind MovementInputKind, quantity int64) error {
	a, err := t.api.MoveWithResponse(ctx, &MoveParams{IdempotencyKey: t.key()}, MovementInput{
		Kind: kind, Lines: []MovementLineInput{{Location: origin, Sku: sku, Quantity: quantity}},
	})
	if err != nil {
		return err
	}
	m, err := got(string(kind), a.JSON201, a)
	if err != nil {
		return err
	}
	return t.next(ctx, m.RecordedAt)
}

func (t *teller) reserve(ctx context.Context, quantity int64) (*ReserveResponse, error) {
	at := origin
	return t.api.ReserveWithResponse(ctx, &ReserveParams{IdempotencyKey: t.key()}, ReservationInput{
		Lines: []ReservationLineInput{{Location: &at, Sku: sku, Quantity: quantity}},
	})
}

// day is goods that come in, and an order of six of which four leave.
func (t *teller) day(ctx context.Context) error {
	if err := t.move(ctx, MovementInputKindReceive, 20); err != nil {
		return err
	}
	a, err := t.reserve(ctx, 6)
	if err != nil {
		return err
	}
	order, err := got("reserve", a.JSON201, a)
	if err != nil {
		return err
	}
	if err := t.next(ctx, order.UpdatedAt); err != nil {
		return err
	}

	c, err := t.api.ConfirmWithResponse(ctx, order.Id, &ConfirmParams{IdempotencyKey: t.key()}, ConfirmJSONRequestBody{})
	if err != nil {
		return err
	}
	paid, err := got("confirm", c.JSON200, c)
	if err != nil {
		return err
	}
	if err := t.next(ctx, paid.UpdatedAt); err != nil {
		return err
	}

	line, four := int64(1), int64(4)
	f, err := t.api.FulfilWithResponse(ctx, order.Id, &FulfilParams{IdempotencyKey: t.key()}, FulfilJSONRequestBody{
		Lines: &[]SelectionInput{{Line: &line, Quantity: &four}},
	})
	if err != nil {
		return err
	}
	shipped, err := got("fulfil", f.JSON200, f)
	if err != nil {
		return err
	}
	return t.next(ctx, shipped.UpdatedAt)
}

// journey sends five units to the other region, where three arrive and two are lost, and counts.
func (t *teller) journey(ctx context.Context) error {
	a, err := t.api.CreateTransferWithResponse(ctx, &CreateTransferParams{IdempotencyKey: t.key()}, TransferInput{
		From: origin, To: destination, Lines: []TransferLineInput{{Sku: sku, Quantity: 5}},
	})
	if err != nil {
		return err
	}
	lorry, err := got("transfer", a.JSON201, a)
	if err != nil {
		return err
	}
	s, err := t.api.ShipTransferWithResponse(ctx, lorry.Id, &ShipTransferParams{IdempotencyKey: t.key()}, ShipTransferJSONRequestBody{})
	if err != nil {
		return err
	}
	if lorry, err = got("ship", s.JSON200, s); err != nil {
		return err
	}
	if err := t.next(ctx, lorry.UpdatedAt); err != nil {
		return err
	}

	r, err := t.api.ReceiveTransferWithResponse(ctx, lorry.Id, &ReceiveTransferParams{IdempotencyKey: t.key()}, ArrivalsInput{
		Lines: []ArrivalInput{{Sku: sku, Quantity: 3}},
	})
	if err != nil {
		return err
	}
	if lorry, err = got("receive", r.JSON200, r); err != nil {
		return err
	}
	if err := t.next(ctx, lorry.UpdatedAt); err != nil {
		return err
	}

	c, err := t.api.CloseTransferWithResponse(ctx, lorry.Id, &CloseTransferParams{IdempotencyKey: t.key()}, CloseInput{Disposition: Lost})
	if err != nil {
		return err
	}
	if lorry, err = got("close", c.JSON200, c); err != nil {
		return err
	}
	if err := t.next(ctx, lorry.UpdatedAt); err != nil {
		return err
	}
	return t.move(ctx, MovementInputKindCount, 10)
}

// history asks for the state of each step again, on both axes.
func (t *teller) history(ctx context.Context) error {
	end := t.story[len(t.story)-1]
	if end.from != "on_hand 10 held 0 allocated 2 incoming 0 available 8 version 6" ||
		end.to != "on_hand 3 held 0 allocated 0 incoming 0 available 3 version 3" {
		return fmt.Errorf("in the end: %+v", end)
	}
	for i, c := range t.story {
		for _, axis := range []GetLevelParamsAxis{GetLevelParamsAxisRecorded, GetLevelParamsAxisEffective} {
			from, errFrom := t.level(ctx, origin, GetLevelParams{AsOf: &c.at, Axis: &axis})
			to, errTo := t.level(ctx, destination, GetLevelParams{AsOf: &c.at, Axis: &axis})
			if err := errors.Join(errFrom, errTo); err != nil {
				return err
			}
			if from != c.from || to != c.to {
				return fmt.Errorf("step %d, %s: had %s and %s, and now %s and %s", i, axis, c.from, c.to, from, to)
			}
		}
	}
	return nil
}

// refusal reserves more than there is: the client knows of the shortage by its type.
func (t *teller) refusal(ctx context.Context) error {
	a, err := t.reserve(ctx, 9)
	if err != nil {
		return err
	}
	conflict, err := got("refusal", a.ApplicationproblemJSON409, a)
	if err != nil {
		return err
	}
	problem, err := conflict.AsInsufficientStockProblem()
	if err != nil {
		return err
	}
	if len(problem.Shortages) != 1 || problem.Shortages[0].Available != 8 || problem.Shortages[0].Sku != sku {
		return fmt.Errorf("nine of eight: %+v", problem)
	}
	return nil
}
