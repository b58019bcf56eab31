package httpapi

import (
	"net/http"

	"stockyard/service"
	"stockyard/service/inventory"
)

func (a *api) postTransfer(r *request) (reply, error) {
	caller, err := r.caller()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[service.TransferInput](r)
	if err != nil {
		return reply{}, err
	}
	outcome, err := a.service.CreateTransfer(r.ctx, caller, in)
	return madeReply(http.StatusCreated, outcome, err)
}

// Bodies of the steps: each names just what its step listens to.
type (
	shipBody struct {
		Reason    string `json:"reason,omitempty"`
		Reference string `json:"reference,omitempty"`
	}
	arrivalsBody struct {
		Lines     []service.ArrivalInput `json:"lines"`
		Reason    string                 `json:"reason,omitempty"`
		Reference string                 `json:"reference,omitempty"`
	}
	closeBody struct {
		Disposition string `json:"disposition"`
		Reason      string `json:"reason,omitempty"`
		Reference   string `json:"reference,omitempty"`
	}
	cancelBody struct{}
)

func (a *api) shipTransfer(r *request) (reply, error) {
	return step(r, a.service.ShipTransfer, decodeOptional, func(b shipBody) service.TransferStepInput {
		return service.TransferStepInput{Reason: b.Reason, Reference: b.Reference}
	})
}

func (a *api) receiveTransfer(r *request) (reply, error) {
	return step(r, a.service.ReceiveTransfer, decode, func(b arrivalsBody) service.TransferStepInput {
		return service.TransferStepInput{Lines: b.Lines, Reason: b.Reason, Reference: b.Reference}
	})
}

func (a *api) closeTransfer(r *request) (reply, error) {
	return step(r, a.service.CloseTransfer, decode, func(b closeBody) service.TransferStepInput {
		return service.TransferStepInput{Disposition: b.Disposition, Reason: b.Reason, Reference: b.Reference}
	})
}

func (a *api) cancelTransfer(r *request) (reply, error) {
	return step(r, a.service.CancelTransfer, decodeOptional, func(cancelBody) service.TransferStepInput {
		return service.TransferStepInput{}
	})
}

func (a *api) getTransfer(r *request) (reply, error) {
	if err := r.query().err(); err != nil {
		return reply{}, err
	}
	id, err := r.param("id")
	if err != nil {
		return reply{}, err
	}
	answer, asOf, err := a.service.Transfer(r.ctx, r.who, id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: answer, version: answer.Version, asOf: asOf}, nil
}

func (a *api) listTransfers(r *request) (reply, error) {
	q := r.query()
	query := service.TransfersQuery{
		Status: q.given("status"), From: q.name("from", inventory.CheckIdentifier), To: q.name("to", inventory.CheckIdentifier), Reference: q.text("reference"), Region: q.given("region"),
	}
	page := q.page()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	list, err := a.service.Transfers(r.ctx, r.who, query, page)
	return reply{status: http.StatusOK, body: list}, err
}
