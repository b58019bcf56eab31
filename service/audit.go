package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Outcomes in the audit log.
const (
	outcomeAccepted        = "accepted"
	outcomeRefused         = "refused"         // by the rules: not enough stock, another state
	outcomeDenied          = "denied"          // for want of rights
	outcomeUnauthenticated = "unauthenticated" // without a good credential
)

// AuditOutcomes lists them.
func AuditOutcomes() []string {
	return []string{outcomeAccepted, outcomeRefused, outcomeDenied, outcomeUnauthenticated}
}

// AuditAnswer is an entry of the audit log as callers see it. Attempts are how many of the same
// kind it stands for; only refusals for want of rights are gathered.
type AuditAnswer struct {
	ID        inventory.ID   `json:"id"`
	At        time.Time      `json:"at"`
	Region    string         `json:"region"` // of the pod that was asked
	Actor     string         `json:"actor"`
	RequestID string         `json:"request_id"`
	Operation string         `json:"operation"`
	Outcome   string         `json:"outcome"`
	Resource  string         `json:"resource,omitempty"` // stock, product, location, channel, key, ...
	Name      string         `json:"name,omitempty"`     // of the resource; of stock commands, the idempotency key
	Reason    string         `json:"reason,omitempty"`
	Reference string         `json:"reference,omitempty"`
	Detail    string         `json:"detail,omitempty"`
	After     map[string]any `json:"after,omitempty"` // settings: what they are since
	Attempts  int64          `json:"attempts"`
}

// AuditQuery selects entries; zero fields select all.
type AuditQuery struct {
	Actor, Operation, Outcome, RequestID, Resource, Name, Region string
	Since, Until                                                 time.Time
}

type auditCursor struct {
	At time.Time    `json:"at"`
	ID inventory.ID `json:"id"`
}

func (c *auditCursor) isOurs() bool { return !c.At.IsZero() && !c.ID.IsZero() }

// AuditLog lists what was done and by whom, newest first: stock commands, changes of settings, and
// attempts that were refused for want of rights.
func (s *Service) AuditLog(ctx context.Context, caller Caller, q AuditQuery, page Page) (none Listed[AuditAnswer], err error) {
	if err := s.may(caller, auth.ListAuditLog); err != nil {
		return none, err
	}
	if err := q.check(); err != nil {
		return none, err
	}
	if q.Region != "" && !s.options.Topology.Has(q.Region) {
		return none, missing("region", q.Region)
	}
	f := store.AuditFilter{
		Actor: q.Actor, Operation: q.Operation, Outcome: q.Outcome, RequestID: q.RequestID,
		Resource: q.Resource, Name: strings.ReplaceAll(q.Name, shownKeyOfItem, keyOfItem), Since: q.Since, Limit: page.Size + 1,
	}
	if f.Before = q.Until; q.Until.IsZero() {
		f.Before = time.Now().Add(time.Hour) // whatever the clocks say
	}
	var cursor auditCursor
	if err := page.open(&cursor); err != nil {
		return none, err
	}
	if page.Token != "" {
		f.Before, f.BeforeID = cursor.At, cursor.ID
	}
	var found []store.AuditEntry
	for _, region := range s.store.Regions() {
		f.Region = region
		entries, err := s.store.AuditLog(ctx, f)
		if err != nil {
			return none, fromStore(err, false)
		}
		found = append(found, entries...)
	}
	return auditPage(found, q.Region, page)
}

func (q AuditQuery) check() error {
	var c checker
	if q.Outcome != "" {
		c.oneOf("outcome", q.Outcome, AuditOutcomes()...)
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && q.Until.Before(q.Since) {
		c.add("until", "must not be before since")
	}
	return c.err()
}

// auditPage merges what the regions found. Ids decide between entries of one moment, whatever
// region they are in: the next page begins there in all of them.
func auditPage(found []store.AuditEntry, gateway string, page Page) (none Listed[AuditAnswer], err error) {
	slices.SortFunc(found, func(a, b store.AuditEntry) int {
		return cmp.Or(b.At.Compare(a.At), -slices.Compare(a.ID.UUID[:], b.ID.UUID[:]))
	})
	list, err := listed(found, page, func(last store.AuditEntry) any { return auditCursor{last.At, last.ID} })
	if err != nil {
		return none, err
	}
	answer := Listed[AuditAnswer]{Items: []AuditAnswer{}, NextPageToken: list.NextPageToken}
	for _, e := range list.Items {
		if gateway == "" || gateway == e.Gateway {
			answer.Items = append(answer.Items, describeAudit(e))
		}
	}
	return answer, nil
}

// shownKeyOfItem is how keyOfItem is shown.
const shownKeyOfItem = "#"

func describeAudit(e store.AuditEntry) AuditAnswer {
	a := AuditAnswer{
		ID: e.ID, At: e.At, Region: e.Gateway, Actor: e.Actor, RequestID: e.RequestID, Operation: e.Operation,
		Outcome: e.Outcome, Resource: e.Resource, Name: strings.ReplaceAll(e.Name, keyOfItem, shownKeyOfItem),
		Reason: e.Reason, Reference: e.Reference, Attempts: e.Attempts,
	}
	if e.Resource == "" || json.Unmarshal([]byte(e.Detail), &a.After) != nil {
		a.Detail = e.Detail
	}
	return a
}

// setting is the entry about a change of settings: what they are after it, without secrets.
func (s *Service) setting(caller Caller, op auth.Operation, resource, name string, after any) store.AuditEntry {
	detail, err := json.Marshal(after, json.Deterministic(true))
	if err != nil { // only a bug can bring this about; the types are ours
		detail = nil
	}
	region := s.options.Region
	return store.AuditEntry{
		Region: region, ID: inventory.ID{Region: region, UUID: random()}, Actor: caller.Principal.Actor(),
		RequestID: caller.RequestID, Operation: string(op), Outcome: outcomeAccepted,
		Resource: resource, Name: name, Detail: string(detail), Attempts: 1,
	}
}
