package httpapi

import (
	"errors"
	"net/http"

	"stockyard/service"
	"stockyard/service/inventory"
)

type movementsBody struct {
	Movements []service.MovementInput `json:"movements"`
	OnError   string                  `json:"on_error,omitempty"`
}

type reservationsBody struct {
	Reservations []service.ReservationInput `json:"reservations"`
	OnError      string                     `json:"on_error,omitempty"`
}

// batchAnswer has an item for each command of a batch, in order.
type batchAnswer struct {
	Items []batchItem `json:"items"`
}

// batchItem is what its command would have been answered by itself.
type batchItem struct {
	Status      int                          `json:"status"`
	Movement    *inventory.MovementAnswer    `json:"movement,omitempty"`
	Reservation *inventory.ReservationAnswer `json:"reservation,omitempty"`
	Problem     *problem                     `json:"problem,omitempty"`
}

func (a *api) postMovements(r *request) (reply, error) {
	caller, err := r.caller()
	if err != nil {
		return reply{}, err
	}
	body, err := decode[movementsBody](r)
	if err != nil {
		return reply{}, err
	}
	on := service.OnError(body.OnError)
	outcomes, err := a.service.MoveBatch(r.ctx, caller, on, body.Movements)
	if err != nil {
		return reply{}, err
	}
	return batchReply(r, on, outcomes)
}

func (a *api) postReservations(r *request) (reply, error) {
	caller, err := r.caller()
	if err != nil {
		return reply{}, err
	}
	body, err := decode[reservationsBody](r)
	if err != nil {
		return reply{}, err
	}
	on := service.OnError(body.OnError)
	outcomes, err := a.service.ReserveBatch(r.ctx, caller, on, body.Reservations)
	if err != nil {
		return reply{}, err
	}
	return batchReply(r, on, outcomes)
}

// batchReply answers 200 with an item for each command. An all-or-nothing batch that took no
// effect is a problem, of the status of the command that spoiled it, with the items in it.
func batchReply(r *request, on service.OnError, outcomes []service.ItemOutcome) (reply, error) {
	instance, replayed := r.id, service.Repeated(outcomes)
	if replayed {
		instance = outcomes[0].FirstRequest
	}
	items := make([]batchItem, len(outcomes))
	var spoiled *problem
	for i, o := range outcomes {
		items[i] = itemOf(o, instance)
		if p := items[i].Problem; p != nil && !errors.Is(o.Err, service.ErrAborted) {
			spoiled = p
		}
	}
	if on == service.Abort && spoiled != nil {
		return reply{}, &spoiledBatch{problem: *spoiled, items: items, replayed: replayed}
	}
	return reply{status: http.StatusOK, body: batchAnswer{items}, replayed: replayed}, nil
}

func itemOf(o service.ItemOutcome, instance string) batchItem {
	if o.Err != nil {
		p := problemOf(o.Err)
		p.Instance = instance
		return batchItem{Status: p.Status, Problem: &p}
	}
	return batchItem{Status: http.StatusCreated, Movement: o.Movement, Reservation: o.Reservation}
}

// spoiledBatch is an all-or-nothing batch that took no effect.
type spoiledBatch struct {
	problem  problem
	items    []batchItem
	replayed bool
}

func (s *spoiledBatch) Error() string { return "batch refused: " + s.problem.Detail }
