package grpcapi

import (
	"context"
	"errors"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
)

// batch gives the request that a batch's items were first answered to. An all-or-nothing batch that
// took no effect is an error, of the code of the command that spoiled it, and says which one that was.
func batch(ctx context.Context, on service.OnError, outcomes []service.ItemOutcome) (instance string, err error) {
	instance, replayed := callerOf(ctx).RequestID, service.Repeated(outcomes)
	if replayed {
		instance = outcomes[0].FirstRequest
	}
	for i, o := range outcomes {
		if on == service.Abort && o.Err != nil && !errors.Is(o.Err, service.ErrAborted) {
			return "", &spoiledBatch{err: o.Err, item: int64(i), replayed: replayed, firstRequest: instance}
		}
	}
	sayReplayed(ctx, replayed)
	return instance, nil
}

// commandError is what a command of a batch was refused with, as if it had come alone.
func commandError(err error, instance string) *pb.CommandError {
	p := problemOf(err)
	p.firstRequest = ""
	st := p.status(instance, noBudget).Proto()
	return &pb.CommandError{Code: st.GetCode(), Message: st.GetMessage(), Details: st.GetDetails()}
}
