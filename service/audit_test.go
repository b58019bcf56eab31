package service_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"stockyard/service"
)

// All commands are of one level and one pod, so that they are listed from one shard: its newest come
// first, and small pages leave none out.
func TestPagesOfTheAuditLogLeaveNothingOut(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		began := time.Now().Add(-time.Minute)
		sku := y.product(t, 0)
		var want []string
		for i := range 30 {
			as := y.as("audit/%02d", i)
			y.must(t)(y.pods[0].Move(t.Context(), as, move("receive", nyc, sku, 1)))
			want = append(want, as.Key)
		}
		slices.Reverse(want)
		var got []string
		var last time.Time
		page := service.Page{Size: 4}
		for {
			list, err := y.pods[0].AuditLog(t.Context(), tester, service.AuditQuery{Operation: "move", Since: began}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list.Items {
				if !last.IsZero() && e.At.After(last) {
					t.Errorf("%s is newer than the entry before it", e.Name)
				}
				last = e.At
				if strings.HasPrefix(e.Name, y.run+"/audit/") {
					got = append(got, e.Name)
				}
			}
			if page.Token = list.NextPageToken; page.Token == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
	})
}
