package pod_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"stockyard/service/pod"
	"stockyard/service/store/storetest"
)

func TestPodsGetReadyWhileOthersChangeTheirSchema(t *testing.T) {
	binary := build(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		storetest.Undecided(t, db.Kind)
		startPods(t, binary, db) // fails the test where one doesn't get ready
	})
}

func TestReadySaysWhatAPodLacks(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"ready":false,"checks":{"schema":"too old"}}`))
	}))
	t.Cleanup(server.Close)
	if err := pod.AskReady(t.Context(), server.URL+"/"); err != nil {
		t.Errorf("it is ready: %v", err)
	}
	status = http.StatusServiceUnavailable
	if err := pod.AskReady(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("it isn't ready: %v", err)
	}
	server.Close()
	if err := pod.AskReady(t.Context(), server.URL); err == nil {
		t.Error("it is gone, and counts as ready")
	}
}
