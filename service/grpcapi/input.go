package grpcapi

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"stockyard/service"
	pb "stockyard/service/grpcapi/stockyardv1"
	"stockyard/service/inventory"
)

// reader collects everything that is wrong with a request before its use case is asked, so that all
// of it is named at once.
type reader struct{ wrong []inventory.FieldError }

func (r *reader) add(field, message string) {
	if message != "" {
		r.wrong = append(r.wrong, inventory.FieldError{Field: field, Message: message})
	}
}

// name gives a field that must be a well-formed name.
func (r *reader) name(field, v string, check func(string) string) string {
	r.add(field, check(v))
	return v
}

// filter is name for fields that may be left out.
func (r *reader) filter(field, v string, check func(string) string) string {
	if v != "" {
		r.add(field, check(v))
	}
	return v
}

// text gives free text that a list is searched for.
func (r *reader) text(field, v string) string {
	r.add(field, inventory.CheckText(v, 1000))
	return v
}

func (r *reader) page(size *int64, token string) service.Page {
	page, wrong := service.NewPage(size, r.text("page_token", token))
	r.wrong = append(r.wrong, wrong...)
	return page
}

func (r *reader) freshness(f service.Freshness) service.Freshness {
	r.wrong = append(r.wrong, f.Check()...)
	return f
}

// moment gives a time, nil where there is none.
func (r *reader) moment(field string, at *timestamppb.Timestamp) *time.Time {
	if at == nil {
		return nil
	}
	if at.CheckValid() != nil {
		r.add(field, "must be a time from the year 1 to 9999")
		return nil
	}
	t := at.AsTime()
	return &t
}

// orZero gives the zero time for none.
func orZero(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}

func (r *reader) err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return service.Invalid(r.wrong...)
}

// precondition reads if_version. Versions count from 1, so that 0 says that there must be none.
func precondition(version *int64) service.Precondition {
	if version != nil && *version == 0 {
		return service.Precondition{Absent: true}
	}
	return service.Precondition{Version: version}
}

func moneyIn(m *pb.Money) *inventory.Money {
	if m == nil {
		return nil
	}
	return &inventory.Money{Amount: m.GetAmount(), Currency: m.GetCurrency()}
}

func moneyOf(m *inventory.Money) *pb.Money {
	if m == nil {
		return nil
	}
	return &pb.Money{Amount: m.Amount, Currency: m.Currency}
}

// momentOf gives a time as a message, nil where there is none.
func momentOf(at *time.Time) *timestamppb.Timestamp {
	if at == nil {
		return nil
	}
	return timestamppb.New(*at)
}
