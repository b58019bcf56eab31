package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/helpers"
)

// rules hold traffic against the document, by a library that knows nothing of what made it.
var rules = sync.OnceValue(func() validator.Validator {
	raw, err := sealed()
	if err != nil {
		panic(err)
	}
	doc, err := libopenapi.NewDocument(raw)
	if err != nil {
		panic(err)
	}
	v, errs := validator.NewValidator(doc, config.WithFormatAssertions(), config.WithoutSecurityValidation(),
		config.WithCustomFormat("int64", int64OfFloat))
	if len(errs) > 0 {
		panic(errs)
	}
	return v
})

// int64OfFloat: the library reads numbers as floats, of which the one nearest to the largest int64 is
// one more than that.
func int64OfFloat(v any) error {
	if n, is := v.(float64); is && (n != math.Trunc(n) || math.Abs(n) > 1<<63) {
		return fmt.Errorf("%v is no int64", n)
	}
	return nil
}

// refereed is a door whose traffic is held against the document: every answer must be in it, and a
// request that isn't must have been refused.
func refereed(t testing.TB, door http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &taken{ReadCloser: r.Body}
		r.Body = q
		a := &given{ResponseWriter: w, status: http.StatusOK}
		door.ServeHTTP(a, r)
		for _, wrong := range judge(r, q.body.Bytes(), a) {
			t.Errorf("%s %s %.300s\n-> %d %.600s\n%s", r.Method, r.URL, q.body.String(), a.status, a.body.String(), wrong)
		}
	})
}

// judge says what is wrong with a request and its answer.
func judge(r *http.Request, body []byte, a *given) (wrong []string) {
	if r.Method == http.MethodHead { // answered as GET, of which net/http leaves the body out
		r = r.Clone(r.Context())
		r.Method = http.MethodGet
	}
	op, found := operationOf(r.Method, r.URL)
	if !found {
		if a.status < 400 || a.status >= 500 {
			wrong = append(wrong, "it is no operation of the document")
		}
		return wrong
	}
	for _, part := range parts(a) {
		answer := &http.Response{StatusCode: a.status, Header: a.Header(), Body: io.NopCloser(bytes.NewReader(part)), Request: r}
		if ok, errs := rules().ValidateHttpResponse(r, answer); !ok {
			wrong = append(wrong, describe("the answer", errs)...)
		}
	}
	wrong = append(wrong, op.headers(a)...)
	if a.status < 400 && !a.refusesItems() {
		wrong = append(wrong, op.accepted(r, body)...)
	}
	return wrong
}

// refusesItems says that an answer is a batch's in which some commands were refused by themselves.
func (a *given) refusesItems() bool {
	var batch struct{ Items []struct{ Status int } }
	_ = json.Unmarshal(a.body.Bytes(), &batch) // what isn't like that is no batch
	return slices.ContainsFunc(batch.Items, func(item struct{ Status int }) bool { return item.Status >= 400 })
}

// parts are an answer's lines where it is a stream of them.
func parts(a *given) [][]byte {
	if a.Header().Get("Content-Type") != "application/x-ndjson" {
		return [][]byte{a.body.Bytes()}
	}
	return bytes.Split(bytes.TrimSuffix(a.body.Bytes(), []byte("\n")), []byte("\n"))
}

// accepted says why the document would have refused a request.
func (op operation) accepted(r *http.Request, body []byte) (wrong []string) {
	q := r.Clone(r.Context())
	q.Body = io.NopCloser(bytes.NewReader(body))
	if q.URL.Query().Get("dry_run") == "true" && q.Header.Get("Idempotency-Key") == "" {
		q.Header.Set("Idempotency-Key", "a dry run needs none")
	}
	// Bodies are read as JSON, whatever curl calls them. Files say themselves what is wrong with a row.
	if media := op.at("requestBody", "content"); media["application/json"] == nil {
		q.Body = http.NoBody
	} else if len(body) > 0 && !strings.Contains(q.Header.Get("Content-Type"), "json") {
		q.Header.Set("Content-Type", "application/json")
	}
	_, errs := rules().ValidateHttpRequestSync(q)
	for _, e := range errs {
		if e.ValidationType != helpers.RequestBodyValidation || q.Body != http.NoBody {
			wrong = append(wrong, describe("accepted", []*errors.ValidationError{e})...)
		}
	}
	for name := range q.URL.Query() {
		if !slices.ContainsFunc(op.parameters("query"), func(p node) bool { return p.text("name") == name }) {
			wrong = append(wrong, "accepted: the document has no parameter "+name)
		}
	}
	return wrong
}

// headers says what is wrong with those of an answer: each is documented, and those that are always
// there are there.
func (op operation) headers(a *given) (wrong []string) {
	documented := op.at("responses", strconv.Itoa(a.status), "headers")
	for name := range a.Header() {
		switch name {
		case "Content-Type", "Content-Length", "Date", "Cache-Control", "X-Accel-Buffering": // for whom it passes, not for who reads it
			continue
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(documented)), func(known string) bool { return strings.EqualFold(known, name) }) {
			wrong = append(wrong, "the answer: undocumented header "+name)
		}
	}
	for name := range documented {
		if documented.at(name)["required"] == true && a.Header().Get(name) == "" {
			wrong = append(wrong, "the answer: no header "+name)
		}
	}
	return wrong
}

func describe(what string, errs []*errors.ValidationError) (all []string) {
	for _, e := range errs {
		s := fmt.Sprintf("%s: %s: %s", what, e.Message, e.Reason)
		for _, f := range e.SchemaValidationErrors {
			s += fmt.Sprintf("; %s %s", f.FieldPath, f.Reason)
		}
		all = append(all, s)
	}
	return all
}

// taken is a request's body and what the door read of it.
type taken struct {
	io.ReadCloser
	body bytes.Buffer
}

func (b *taken) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.body.Write(p[:n])
	return n, err
}

// given is an answer as the door writes it.
type given struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (a *given) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *given) Write(p []byte) (int, error) {
	a.body.Write(p)
	return a.ResponseWriter.Write(p)
}

func (a *given) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

func (a *given) Unwrap() http.ResponseWriter { return a.ResponseWriter }
