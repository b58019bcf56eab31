package signature_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"stockyard/service/webhook/signature"
)

// Levels is what a receiver keeps: of each stock level the version that it has heard of last.
type Levels struct {
	secret signature.Secret
	mu     sync.Mutex
	known  map[string]int64
}

// ServeHTTP checks a message's signature before it believes a word of it, and skips what came before:
// a message may come again.
func (l *Levels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = l.secret.Verify(r.Header, body, time.Now())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	var message struct {
		Type string
		Data struct {
			Location, SKU, Kind string
			Version             int64
		}
	}
	if err := json.Unmarshal(body, &message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(message.Type, "com.stockyard.stock.") { // alerts have the version of what raised them
		l.take(message.Data.Location+"/"+message.Data.SKU, message.Data.Version)
	}
	w.WriteHeader(http.StatusNoContent) // a receiver that can't take it now answers 503, and it comes again
}

func (l *Levels) take(level string, version int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if version > l.known[level] {
		l.known[level] = version
		fmt.Println(level, "is at version", version)
	}
}

// A receiver that checks signatures and takes each change once.
func Example() {
	secret := signature.New() // what the answer to PUT /v1/webhooks/{webhook} shows
	receiver := httptest.NewServer(&Levels{secret: secret, known: map[string]int64{}})
	defer receiver.Close()
	send := func(kind string, version int, secret signature.Secret) {
		body := fmt.Appendf(nil, `{"specversion": "1.0", "type": "com.stockyard.%s.v1", "data": {"location": "new-york", "sku": "hoodie-black", "version": %d}}`, kind, version)
		request, _ := http.NewRequest(http.MethodPost, receiver.URL, bytes.NewReader(body))
		signature.Sign(request.Header, "0b9f2c5e-6d1a-4c1e-9b6e-2f4f6d1b7a10", time.Now(), body, secret)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer func() { _ = answer.Body.Close() }()
		fmt.Println(answer.Status)
	}
	send("stock.sell", 17, secret)
	send("stock.sell", 17, secret)
	send("alert.out_of_stock", 18, secret)
	send("stock.sell", 18, secret)
	send("stock.sell", 19, signature.New())
	// Output:
	// new-york/hoodie-black is at version 17
	// 204 No Content
	// 204 No Content
	// 204 No Content
	// new-york/hoodie-black is at version 18
	// 204 No Content
	// 403 Forbidden
}
