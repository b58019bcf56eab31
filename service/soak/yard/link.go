package yard

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"stockyard/service/devdb"
)

// Link is the way of a region's pods to the database, through a proxy that can do harm.
type Link struct {
	Region string
	proxy  *toxiproxy.Proxy
}

func newLink(region, url string) (*Link, error) {
	ports, err := devdb.FreePorts(1)
	if err != nil {
		return nil, err
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.New(io.Discard))
	l := &Link{Region: region, proxy: toxiproxy.NewProxy(server, region, loopback(ports[0]), hosts([]string{url})[0])}
	return l, l.proxy.Start()
}

func (l *Link) address() string { return l.proxy.Listen }

// Cut breaks every connection, and takes none for a while.
func (l *Link) Cut(ctx context.Context, while time.Duration) error {
	l.proxy.Stop()
	rest(ctx, while)
	return l.proxy.Start()
}

// Delay makes everything late, in both directions, for a while.
func (l *Link) Delay(ctx context.Context, by, while time.Duration) error {
	return l.poison(ctx, while,
		fmt.Sprintf(`{"type":"latency","stream":"downstream","attributes":{"latency":%d,"jitter":%d}}`, by.Milliseconds(), by.Milliseconds()/2),
		fmt.Sprintf(`{"type":"latency","stream":"upstream","attributes":{"latency":%d,"jitter":%d}}`, by.Milliseconds(), by.Milliseconds()/2))
}

// Mute lets commands through to the database and nothing back, for a while. Then the connections
// break: what was answered meanwhile is lost.
func (l *Link) Mute(ctx context.Context, while time.Duration) error {
	return l.poison(ctx, while, `{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`)
}

// HalfClose closes each connection from the database's side after so many bytes of answers, in the
// middle of one, while the other side still sends.
func (l *Link) HalfClose(ctx context.Context, bytes int, while time.Duration) error {
	return l.poison(ctx, while, fmt.Sprintf(`{"type":"limit_data","stream":"downstream","attributes":{"bytes":%d}}`, bytes))
}

func (l *Link) poison(ctx context.Context, while time.Duration, toxics ...string) error {
	for _, toxic := range toxics {
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			return err
		}
	}
	rest(ctx, while)
	l.proxy.Toxics.ResetToxics(context.WithoutCancel(ctx))
	return nil
}

// Heal passes everything again.
func (l *Link) Heal(ctx context.Context) error {
	l.proxy.Toxics.ResetToxics(ctx)
	return nil
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
