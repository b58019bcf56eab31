package pod

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"stockyard/service/grpcapi"
	"stockyard/service/httpapi"
)

// door is a way into the pod: where it listens, and how it serves and stops.
type door struct {
	flag, address string
	serve         func(net.Listener) error
	shutdown      func(context.Context) error
}

// doors builds the doors for callers, and the operators' own one where it has an address of its own.
func (p *Pod) doors(build Build) (callers, operators []door) {
	s := p.settings
	ops := httpapi.Ops{Registry: p.metrics.Registry, Version: build, Ready: []httpapi.ReadyCheck{
		{Name: "draining", Check: p.notDraining},
		{Name: "database", Check: p.databaseAnswers},
		{Name: "schema", Check: p.schemaFits},
		{Name: "feed", Check: p.feedFollows},
	}}
	p.grpc = grpcapi.New(p.service, grpcapi.Options{Authenticator: p.access.authenticator, Feed: p.hub, RequestTimeout: s.RequestTimeout, Log: p.log, Traces: p.traces, Observe: p.metrics.Call, TLS: p.access.tlsConfig("h2")})
	calls := door{"--grpc-listen", s.GRPCListen, p.grpc.Serve, p.grpc.Shutdown}
	leaving := make(chan struct{})
	leave := sync.OnceFunc(func() { close(leaving) })
	options := httpapi.Options{
		Authenticator: p.access.authenticator, Feed: p.hub, RequestTimeout: s.RequestTimeout, Log: p.log, Traces: p.traces, Observe: p.metrics.Request, Draining: leaving,
	}
	private := p.access.tlsConfig("h2", "http/1.1")
	if s.OpsListen == s.Listen {
		return []door{p.httpDoor("--listen", s.Listen, httpapi.New(p.service, options, ops.Routes), private, leave), calls}, nil
	}
	return []door{p.httpDoor("--listen", s.Listen, httpapi.New(p.service, options), private, leave), calls},
		[]door{p.httpDoor("--ops-listen", s.OpsListen, ops.Handler(), nil, func() {})} // probes and scrapers have no certificates
}

// httpDoor bounds what slow clients can hold: headers must come within 10 s and be at most 64 KiB,
// a request within 2 minutes, and its answer be taken within 8; a connection idles for 2 minutes at
// most. leave ends streams, which a shutdown would wait for.
func (p *Pod) httpDoor(flag, address string, h http.Handler, private *tls.Config, leave func()) door {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 8 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		TLSConfig: private, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelInfo),
	}
	server.RegisterOnShutdown(leave)
	serve := server.Serve
	if private != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	return door{flag, address, serve, server.Shutdown}
}

// open listens on all doors before it serves on any. What a door's serving ends with comes through
// the channel.
func open(doors []door) (<-chan error, error) {
	listeners := make([]net.Listener, 0, len(doors))
	for _, d := range doors {
		l, err := net.Listen("tcp", d.address)
		if err != nil {
			for _, before := range listeners {
				_ = before.Close()
			}
			return nil, fmt.Errorf("%s: %w", d.flag, err)
		}
		listeners = append(listeners, l)
	}
	ended := make(chan error, len(doors))
	for i, d := range doors {
		go func() { ended <- d.serve(listeners[i]) }()
	}
	return ended, nil
}

// shut closes doors side by side: each takes no more requests and finishes those it has.
func shut(ctx context.Context, doors []door) error {
	errs := make([]error, len(doors))
	var wg sync.WaitGroup
	for i, d := range doors {
		wg.Go(func() { errs[i] = d.shutdown(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
