package httpapi

import (
	"context"
	"net/http"

	"stockyard/service"
	"stockyard/service/inventory"
)

func (a *api) postMovement(r *request) (reply, error) {
	caller, err := r.caller()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[service.MovementInput](r)
	if err != nil {
		return reply{}, err
	}
	outcome, err := a.service.Move(r.ctx, caller, in)
	return reply{status: http.StatusCreated, body: outcome.Movement, replayed: outcome.Replayed}, err
}

func (a *api) postReservation(r *request) (reply, error) {
	caller, err := r.caller()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[service.ReservationInput](r)
	if err != nil {
		return reply{}, err
	}
	outcome, err := a.service.Reserve(r.ctx, caller, in)
	return madeReply(http.StatusCreated, outcome, err)
}

// madeReply answers with what a command made, or took a step further.
func madeReply(status int, outcome service.Outcome, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	if t := outcome.Transfer; t != nil {
		return reply{status: status, body: t, version: t.Version, replayed: outcome.Replayed}, nil
	}
	return reply{status: status, body: outcome.Reservation, version: outcome.Reservation.Version, replayed: outcome.Replayed}, nil
}

// Bodies of the steps: each names just what its step listens to.
type (
	confirmBody struct {
		Reason    string `json:"reason,omitempty"`
		Reference string `json:"reference,omitempty"`
	}
	extendBody struct {
		ExpiresIn string `json:"expires_in"`
	}
	unitsBody struct {
		Lines     []service.SelectionInput `json:"lines,omitempty"`
		Reason    string                   `json:"reason,omitempty"`
		Reference string                   `json:"reference,omitempty"`
	}
)

func (a *api) confirm(r *request) (reply, error) {
	return step(r, a.service.Confirm, decodeOptional, func(b confirmBody) service.StepInput {
		return service.StepInput{Reason: b.Reason, Reference: b.Reference}
	})
}

func (a *api) extend(r *request) (reply, error) {
	return step(r, a.service.Extend, decode, func(b extendBody) service.StepInput {
		return service.StepInput{ExpiresIn: b.ExpiresIn}
	})
}

func (a *api) release(r *request) (reply, error) {
	return step(r, a.service.Release, decodeOptional, unitsBody.input)
}

func (a *api) fulfil(r *request) (reply, error) {
	return step(r, a.service.Fulfil, decodeOptional, unitsBody.input)
}

func (b unitsBody) input() service.StepInput {
	return service.StepInput{Lines: b.Lines, Reason: b.Reason, Reference: b.Reference}
}

// step serves a step in the life of what was made before.
func step[Body, Input any](
	r *request,
	run func(context.Context, service.Caller, string, Input) (service.Outcome, error),
	read func(*request) (Body, error),
	input func(Body) Input,
) (reply, error) {
	caller, err := r.caller()
	if err != nil {
		return reply{}, err
	}
	id, err := r.param("id")
	if err != nil {
		return reply{}, err
	}
	body, err := read(r)
	if err != nil {
		return reply{}, err
	}
	outcome, err := run(r.ctx, caller, id, input(body))
	return madeReply(http.StatusOK, outcome, err)
}

func (a *api) getReservation(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	id, err := r.param("id")
	if err != nil {
		return reply{}, err
	}
	answer, asOf, err := a.service.Reservation(r.ctx, r.who, id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: answer, version: answer.Version, asOf: asOf}, nil
}

func (a *api) listReservations(r *request) (reply, error) {
	q := r.query()
	query := service.ReservationsQuery{
		Status: q.given("status"), OrderReference: q.text("order_reference"),
		Location: q.name("location", inventory.CheckIdentifier), Region: q.given("region"),
	}
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Reservations(r.ctx, r.who, query, page)
	return reply{status: http.StatusOK, body: list}, err
}
