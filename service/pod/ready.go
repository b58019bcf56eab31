package pod

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// AskReady asks a running pod whether it takes requests, as a load balancer would, for at most 5 s: what
// health checks run where an image has no other program. The error says what the pod lacks.
func AskReady(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(target, "/")+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return err
	}
	return fmt.Errorf("not ready: %s", strings.TrimSpace(string(text)))
}
