package webhook

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"

	"stockyard/service"
	"stockyard/service/store"
	"stockyard/service/telemetry/tracing"
	"stockyard/service/webhook/signature"
)

const (
	// window is how many deliveries a round has at most.
	window = 256
	// abreast is how many subjects of an endpoint are served at once, and so many have their share of a
	// round at least.
	abreast = 16
	// roundTime is how long a round begins attempts: what came of them is written after it.
	roundTime = 5 * time.Second
	// maxAnswer is how much of an answer's body is read, so that its connection may be used again.
	maxAnswer = 64 << 10
)

// round sends what is due, writes down what came of it, and waits until there may be more.
func (e *endpoint) round(ctx context.Context) error {
	w, err := e.current(ctx)
	if err != nil {
		return err
	}
	if w.Rest > 0 {
		return rest(ctx, min(w.Rest, e.o.Idle))
	}
	probe, most := w.Failures > 0, window
	if probe {
		most = 1
	}
	due, now, err := e.o.Store.DueDeliveries(ctx, w, probe, most, window/abreast)
	if err != nil {
		return err
	}
	if len(due) == 0 {
		return e.untilDue(ctx, w)
	}
	secrets, err := e.secretsOf(w, now)
	if err != nil {
		e.o.Log.Error("the secret of a webhook can't be opened", "webhook", e.name, "error", err)
		// It is for whoever has the keys to mend, and nothing that the endpoint should be left alone for.
		_, _, err := e.o.Store.RecordRound(ctx, e.lease, w, store.Round{Failures: max(w.Failures, 1), Pause: e.o.Backoff.pause(1)})
		return err
	}
	began := time.Now()
	attempts := e.attempt(ctx, w, due, secrets)
	if len(attempts) == 0 { // cut short: nobody knows anything new
		return ctx.Err()
	}
	round := e.o.Backoff.decide(w, attempts, now.Add(time.Since(began)))
	// What was taken was taken, though this pod has to stop: the lease still says whether it may tell.
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.o.Lease/2)
	defer cancel()
	parked, ok, err := e.o.Store.RecordRound(recording, e.lease, w, round)
	if err != nil {
		return err
	}
	if !ok {
		return errChanged
	}
	e.tell(round, parked)
	signal(e.room)
	if round.SwitchOff != "" {
		e.o.Log.Warn("webhook switched off", "webhook", e.name, "reason", round.SwitchOff)
		return errChanged
	}
	return nil
}

func (e *endpoint) tell(round store.Round, parked int) {
	for _, a := range round.Attempts {
		result := a.Status
		if result == store.DeliveryPending {
			result = "failed"
		}
		e.o.Observer.Attempted(result)
	}
	if parked > 0 {
		e.o.Observer.Parked(parked)
	}
}

// untilDue waits until something may be due.
func (e *endpoint) untilDue(ctx context.Context, w store.Webhook) error {
	pause, ok, err := e.o.Store.NextDue(ctx, w)
	if err != nil {
		return err
	}
	if !ok || pause > e.o.Idle {
		pause = e.o.Idle
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-e.fresh:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// secretsOf opens the secrets that messages are signed with: the old ones too, while they are good.
func (e *endpoint) secretsOf(w store.Webhook, now time.Time) (all []signature.Secret, err error) {
	owner := service.WebhookOwner(w.Name)
	current, err := e.o.Secrets.Open(owner, w.Secret)
	if err != nil {
		return nil, err
	}
	texts := []string{string(current)}
	if w.OldSecretUntil != nil && now.Before(*w.OldSecretUntil) {
		if old, err := e.o.Secrets.Open(owner, w.OldSecret); err == nil { // else their key is gone: the new one signs alone
			texts = append(texts, strings.Fields(string(old))...)
		}
	}
	for _, text := range texts {
		secret, err := signature.Parse(text)
		if err != nil {
			return nil, err
		}
		all = append(all, secret)
	}
	return all, nil
}

// attempt sends deliveries: those of a subject one after the other, up to the first that fails;
// some subjects at once. Where the endpoint as a whole fails, no more are begun.
func (e *endpoint) attempt(ctx context.Context, w store.Webhook, due []store.Delivery, secrets []signature.Secret) (all []tried) {
	began := time.Now()
	var failing atomic.Bool
	var mu sync.Mutex
	var sending sync.WaitGroup
	slots := make(chan struct{}, abreast)
	for _, group := range bySubject(due) {
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			for _, d := range group {
				if failing.Load() || ctx.Err() != nil || time.Since(began) > roundTime {
					return
				}
				v := e.post(ctx, w.URL, d, secrets)
				if ctx.Err() != nil && !v.delivered {
					return // it was cut short: nobody knows, so it is sent again
				}
				mu.Lock()
				all = append(all, tried{d, v})
				mu.Unlock()
				if !v.delivered {
					if v.endpoint {
						failing.Store(true)
					}
					return
				}
			}
		})
	}
	sending.Wait()
	return all
}

// bySubject puts deliveries together that have the same subject; they are in order already.
func bySubject(due []store.Delivery) (groups [][]store.Delivery) {
	place := map[string]int{}
	for _, d := range due {
		i, known := place[d.Subject]
		if !known {
			i = len(groups)
			place[d.Subject] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// post makes one attempt.
func (e *endpoint) post(ctx context.Context, url string, d store.Delivery, secrets []signature.Secret) verdict {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(d.Payload))
	if err != nil {
		return verdict{endpoint: true, why: "the URL can't be used"}
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "Stockyard-Webhooks/1")
	id := uuid.UUID(d.UUID).String()
	signature.Sign(request.Header, id, time.Now(), []byte(d.Payload), secrets...)
	// The URL stays out of the span: some carry a secret.
	_, span := e.o.Traces.Call(ctx, propagation.HeaderCarrier(request.Header), "deliver to webhook",
		attribute.String("stockyard.webhook", e.name), attribute.String("stockyard.delivery", id))
	defer span.End()
	answer, err := e.client.Do(request)
	if err != nil {
		tracing.Fail(span, "no_answer")
		return e.unanswered(err)
	}
	if span.SetAttributes(attribute.Int("http.response.status_code", answer.StatusCode)); answer.StatusCode >= http.StatusMultipleChoices {
		tracing.Fail(span, strconv.Itoa(answer.StatusCode))
	}
	defer func() { _ = answer.Body.Close() }()
	v := judge(answer, time.Now())
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)); err != nil && !v.delivered {
		v.endpoint = true
	}
	return v
}
