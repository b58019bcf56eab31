package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

func transfersThatAreWrong(t *testing.T, p *pod) {
	from, to := p.lorry(t, 10)
	draft := p.transfer(t, from, to, 5)
	shipped := p.transfer(t, from, to, 5)
	p.post(t, shipped+"/ship", "").is(t, 200)
	line := func(quantity string) string { return fmt.Sprintf(`{"sku": %q, "quantity": %s}`, from.sku, quantity) }
	between := func(from, to string, lines ...string) string {
		return fmt.Sprintf(`{"from": %q, "to": %q, "lines": [%s]}`, from, to, strings.Join(lines, ", "))
	}
	cases := []bad{
		invalid("nothing", "POST", "/v1/transfers", `{}`, "from", "to", "lines"),
		invalid("nothing to transfer", "POST", "/v1/transfers", between(from.location, to.location), "lines"),
		invalid("to where it is", "POST", "/v1/transfers", between(from.location, from.location, line("1")), "to"),
		invalid("a SKU twice", "POST", "/v1/transfers", between(from.location, to.location, line("1"), line("2")), "lines[1].sku"),
		invalid("everything at once", "POST", "/v1/transfers", `{"from": "a b", "to": "", "reference": "`+strings.Repeat("r", 256)+`", "lines": [{}, {"sku": " x", "quantity": -1}]}`,
			"from", "to", "reference", "lines[0].sku", "lines[0].quantity", "lines[1].sku", "lines[1].quantity"),
		invalid("wrong types and unknown fields", "POST", "/v1/transfers", `{"from": 1, "to": [], "lines": [{"sku": 3, "quantity": "5", "location": "x"}], "status": "received"}`,
			"from", "to", "lines[0].sku", "lines[0].quantity", "lines[0].location", "status"),
		invalid("a receipt of nothing", "POST", shipped+"/receive", `{}`, "lines"),
		invalid("a receipt of no lines", "POST", shipped+"/receive", `{"lines": []}`, "lines"),
		invalid("a receipt without body", "POST", shipped+"/receive", "", "body"),
		invalid("receipts", "POST", shipped+"/receive", fmt.Sprintf(`{"lines": [{}, null, {"sku": %[1]q, "quantity": 1, "quarantined": 2}, {"sku": %[1]q, "quantity": 0}, {"sku": %[1]q, "quantity": 1, "quarantined": -1}]}`, to.sku),
			"lines[0].sku", "lines[0].quantity", "lines[1].sku", "lines[1].quantity", "lines[2].quarantined", "lines[3].quantity", "lines[4].quarantined"),
		invalid("SKUs that aren't on it", "POST", shipped+"/receive", `{"lines": [{"sku": "x", "quantity": 1}, `+line("1")+`, {"sku": "y", "quantity": 1}]}`, "lines[0].sku", "lines[2].sku"),
		invalid("closed somehow", "POST", shipped+"/close", `{}`, "disposition"),
		invalid("closed without body", "POST", shipped+"/close", "", "body"),
		invalid("closed as eaten", "POST", shipped+"/close", `{"disposition": "eaten"}`, "disposition"),
		invalid("fields of another step", "POST", draft+"/ship", `{"lines": [`+line("1")+`], "disposition": "lost"}`, "lines", "disposition"),
		invalid("cancelled with words", "POST", draft+"/cancel", `{"reason": "x"}`, "reason"),
		invalid("control characters", "POST", draft+"/ship", `{"reason": "a\u0000", "reference": "b\u001b"}`, "reason", "reference"),
		invalid("status of a list", "GET", "/v1/transfers?status=lost", "", "status"),
		missing("from nowhere", "POST", "/v1/transfers", between("nowhere", to.location, line("1"))),
		missing("to nowhere", "POST", "/v1/transfers", between(from.location, "nowhere", line("1"))),
		missing("of what there isn't", "POST", "/v1/transfers", between(from.location, to.location, `{"sku": "nothing", "quantity": 1}`)),
		missing("a list from nowhere", "GET", "/v1/transfers?from=nowhere", ""),
		missing("a list to nowhere", "GET", "/v1/transfers?to=nowhere", ""),
		missing("a list of an unknown region", "GET", "/v1/transfers?region=moon", ""),
		{about: "1001 lines", method: "POST", path: "/v1/transfers", body: between(from.location, to.location, strings.Repeat(line("1")+",", 1000)+line("1")), status: 422, kind: "over-limit", fields: []string{"lines"}},
		{about: "1001 arrivals", method: "POST", path: shipped + "/receive", body: `{"lines": [` + strings.Repeat(line("1")+",", 1000) + line("1") + `]}`, status: 422, kind: "over-limit", fields: []string{"lines"}},
		{about: "more than 1 MiB", method: "POST", path: shipped + "/receive", body: `{"reason": "` + strings.Repeat("x", 1<<20) + `"}`, status: 413, kind: "too-large"},
	}
	for _, q := range []string{"0", "-1", "-9223372036854775808", "9223372036854775808", "1.5", "1e3", `"5"`, "null", "true", "{}"} {
		cases = append(cases, invalid("transfer of "+q, "POST", "/v1/transfers", from.transferTo(to, q), "lines[0].quantity"),
			invalid("receipt of "+q, "POST", shipped+"/receive", to.arrival(q), "lines[0].quantity"))
	}
	for _, c := range []struct{ step, body string }{{"", from.transferTo(to, 1)}, {"/ship", ""}, {"/receive", to.arrival(1)}, {"/close", `{"disposition": "lost"}`}, {"/cancel", ""}} {
		path := draft + c.step
		if c.step == "" {
			path = "/v1/transfers"
		}
		for about, body := range notJSON {
			if strings.TrimSpace(body) == "" && c.body == "" {
				continue // it may go without a body
			}
			cases = append(cases, invalid(c.step+": "+about, "POST", path, body, "body"))
		}
		cases = append(cases, invalid("unknown parameter of "+path, "POST", path+"?dry_rum=true", c.body, "dry_rum"))
		for _, key := range []string{"", strings.Repeat("k", 256), "clé"} {
			one := invalid("key of "+c.step+" "+key[:min(len(key), 9)], "POST", path, c.body, "Idempotency-Key")
			one.headers = []string{"Idempotency-Key", key}
			cases = append(cases, one)
		}
	}
	for _, token := range badTokens {
		cases = append(cases, invalid("page_token="+token[:min(len(token), 30)], "GET", "/v1/transfers?page_token="+token, "", "page_token"))
	}
	id := strings.TrimPrefix(draft, "/v1/transfers/")
	for _, wrong := range []string{"x", "us-east1", id + "0", id[:len(id)-1], strings.ToUpper(id), strings.Replace(id, "us-east1", "moon", 1), strings.Replace(id, "us-east1", "europe-west1", 1), "%00", "us-east1.00000000000000000000000000", "%27;DROP%20TABLE%20x"} {
		cases = append(cases, missing("transfer "+wrong, "GET", "/v1/transfers/"+wrong, ""))
		for step, body := range map[string]string{"ship": "", "receive": to.arrival(1), "close": `{"disposition": "lost"}`, "cancel": "{}"} {
			cases = append(cases, missing(step+" "+wrong, "POST", "/v1/transfers/"+wrong+"/"+step, body))
		}
	}
	p.refuses(t, cases)
	p.rehearse(t, from, to, draft, shipped)
}

// rehearse runs the steps dry: what they say comes true, and nothing else does.
func (p *pod) rehearse(t *testing.T, from, to shelf, draft, shipped string) {
	t.Helper()
	trace := p.watch(t)
	before := trace()
	for _, c := range []struct {
		status     int
		path, body string
		want       string
	}{
		{201, "/v1/transfers", from.transferTo(to, 6), "0/0/0/0/0/0 draft"},
		{200, draft + "/ship", "", "5/0/0/0/0/5 in_transit"},
		{200, draft + "/cancel", "", "0/0/0/0/0/0 cancelled"},
		{409, draft + "/receive", to.arrival(1), ""},
		{200, shipped + "/receive", to.arrival(5), "5/5/0/0/0/0 received"},
		{200, shipped + "/close", `{"disposition": "returned"}`, "5/0/0/0/5/0 closed"},
	} {
		a := p.post(t, c.path+"?dry_run=true", c.body, "Idempotency-Key", "").is(t, c.status)
		if c.want != "" && a.whereabouts(t) != c.want {
			t.Errorf("%s: %s", c.path, a.whereabouts(t))
		}
		if after := trace(); after != before {
			t.Fatalf("%s left a trace: %s, before %s", c.path, after, before)
		}
	}
}
