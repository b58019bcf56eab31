package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/report"
	"stockyard/service/store"
)

// maxReports is how many reports a pod runs at once: each may read whole tables.
const maxReports = 2

// usualStalenessOfReports lets CockroachDB's nearest replica answer.
const usualStalenessOfReports = 10 * time.Second

// Reports lists the reports.
func (s *Service) Reports(caller Caller) ([]*report.Report, error) {
	if err := s.may(caller, auth.ListReports); err != nil {
		return nil, err
	}
	return report.All()
}

// ReportQuery asks for a report: its parameters, how old the answer may be, "10s" unless given, and
// how long it may take, store.ReportTimeout for 0.
type ReportQuery struct {
	Name         string
	Params       map[string]string
	MaxStaleness string
	Timeout      time.Duration
}

// RunReport runs a report. What is too much for one is refused, and the parameters named that narrow it.
// Errors: *auth.Denied, *inventory.Refusal, ErrOverloaded, ErrUnavailable, the context's.
func (s *Service) RunReport(ctx context.Context, caller Caller, q ReportQuery) (none report.Result, err error) {
	if err := s.may(caller, auth.RunReport); err != nil {
		return none, err
	}
	r, found, err := report.Find(q.Name)
	if err != nil {
		return none, err
	}
	if !found {
		return none, missing("report", q.Name)
	}
	values, staleness, err := q.check(r)
	if err != nil {
		return none, err
	}
	select {
	case s.reporting <- struct{}{}:
		defer func() { <-s.reporting }()
	default:
		return none, ErrOverloaded
	}
	timeout := cmp.Or(q.Timeout, store.ReportTimeout)
	result, err := s.store.AtMost(staleness).Report(ctx, r, values, timeout)
	if refusal := tooMuch(r, timeout, err); refusal != nil {
		return none, refusal
	}
	return result, fromStore(err, false)
}

func (q ReportQuery) check(r *report.Report) (report.Values, time.Duration, error) {
	var c checker
	staleness := usualStalenessOfReports
	if q.MaxStaleness != "" {
		c.wrong = append(c.wrong, Freshness{Consistency: bounded, MaxStaleness: q.MaxStaleness}.Check()...)
		staleness, _ = time.ParseDuration(q.MaxStaleness) // checked
	}
	values, wrong := r.Check(q.Params)
	for _, w := range wrong {
		c.add(w.Param, w.Message)
	}
	return values, staleness, c.err()
}

// tooMuch refuses a report that found too much, nil where that isn't so.
func tooMuch(r *report.Report, timeout time.Duration, err error) error {
	var detail string
	switch {
	case errors.Is(err, store.ErrTooManyRows):
		detail = fmt.Sprintf("the report has more than %d rows", store.MaxReportRows)
	case errors.Is(err, store.ErrTooLarge):
		detail = "numbers are too large to be added up, or times too far away"
	case errors.Is(err, store.ErrTooSlow):
		detail = fmt.Sprintf("the report was not done after %s", timeout)
	default:
		return nil
	}
	refusal := &inventory.Refusal{Kind: inventory.OverLimit, Detail: detail + "; ask for less"}
	for _, p := range r.Params {
		refusal.Fields = append(refusal.Fields, inventory.FieldError{Field: p.Name, Message: "may narrow the report: " + p.About})
	}
	if len(r.Params) == 0 {
		refusal.Fields = []inventory.FieldError{{Field: "report", Message: "can't be narrowed; see sql/README.md for the views to ask yourself"}}
	}
	return refusal
}
