// Package config is the one struct of settings: tags name each one's flag, variable, default and
// help; Check checks them together; they print with secrets redacted.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"stockyard/regions"
)

// Settings of a pod. Flags win over STOCKYARD_* variables, which win over defaults.
type Settings struct {
	Region         string        `help:"Region this pod runs in, one of the topology's." env:"STOCKYARD_REGION" placeholder:"NAME" required:""`
	Listen         string        `help:"Address of the REST API." env:"STOCKYARD_LISTEN" default:":8080" placeholder:"HOST:PORT"`
	GRPCListen     string        `name:"grpc-listen" help:"Address of the gRPC API." env:"STOCKYARD_GRPC_LISTEN" default:":9080" placeholder:"HOST:PORT"`
	OpsListen      string        `help:"Address of /livez, /readyz, /metrics and /version; the API's own address serves both there." env:"STOCKYARD_OPS_LISTEN" default:":8090" placeholder:"HOST:PORT"`
	AllowPostgres  bool          `help:"Run on PostgreSQL: a stand-in for development, without regions, follower reads and surviving a node's death." env:"STOCKYARD_ALLOW_POSTGRES"`
	Lanes          int           `help:"Transactions at once." env:"STOCKYARD_LANES" default:"2"`
	BatchSize      int           `help:"Commands in one transaction, at most." env:"STOCKYARD_BATCH_SIZE" default:"256"`
	QueueSize      int           `help:"Commands waiting in one lane, at most; more are answered 503." env:"STOCKYARD_QUEUE_SIZE" default:"1024"`
	MaxConns       int           `help:"Database connections, at most; more than lanes." env:"STOCKYARD_MAX_CONNS" default:"24"`
	RateLimit      int           `help:"Requests a second of one key or token subject at this pod, at most; more are answered 429. 0: no bound." env:"STOCKYARD_RATE_LIMIT" default:"5000"`
	InFlight       int           `help:"Requests at once, at most; more are answered 503." env:"STOCKYARD_IN_FLIGHT" default:"4096"`
	Watchers       int           `help:"Readers of the change feed at once, at most; more are answered 503." env:"STOCKYARD_WATCHERS" default:"10000"`
	FeedBuffer     int           `help:"Entries of the change feed kept in memory, 1 to 2 KiB each; a reader that falls further behind is cut off and goes on from the ledger." env:"STOCKYARD_FEED_BUFFER" default:"16384"`
	CacheSKUs      int           `name:"cache-skus" help:"SKUs kept in memory for reads with consistency=cached, at most; each takes some 200 bytes and 150 for each of its locations. 0: none, such reads are strong." env:"STOCKYARD_CACHE_SKUS" default:"100000"`
	RequestTimeout time.Duration `name:"request-timeout" help:"Deadline of a request that names none itself (header Request-Timeout)." env:"STOCKYARD_REQUEST_TIMEOUT" default:"15s"`
	TxTimeout      time.Duration `help:"Deadline of one transaction, retries included. A database whose node died takes up to 12s to move its leases." env:"STOCKYARD_TX_TIMEOUT" default:"15s"`
	ExpiryEvery    time.Duration `help:"How often lapsed holds are tidied away." env:"STOCKYARD_EXPIRY_EVERY" default:"1s"`
	VerifyEvery    time.Duration `help:"How often the invariants are verified, in the primary region, at most a tenth of the time; 0: never." env:"STOCKYARD_VERIFY_EVERY" default:"30s"`
	DrainDelay     time.Duration `help:"How long a stopping pod reports not ready before it stops taking requests." env:"STOCKYARD_DRAIN_DELAY" default:"3s"`
	Webhooks
	LogLevel  string `help:"debug, info, warn or error." env:"STOCKYARD_LOG_LEVEL" default:"info"`
	LogFormat string `help:"json or text." env:"STOCKYARD_LOG_FORMAT" default:"json"`
	Access
	TLS
	Database
}

// Database says where the database and the topology are.
type Database struct {
	DatabaseURL string `help:"Connection string; better given as a variable, which no process list shows." env:"STOCKYARD_DATABASE_URL,DATABASE_URL" placeholder:"URL"`
	Topology    string `help:"Topology file; the embedded regions/topology.yaml where none is given." env:"STOCKYARD_TOPOLOGY" placeholder:"FILE"`
}

// Reconcile is what `migrate` and `regions` take.
type Reconcile struct {
	Database
	Unpartitioned bool `help:"Leave regions and localities as they are: for a CockroachDB without a licence for them." env:"STOCKYARD_UNPARTITIONED"`
	JSON          bool `name:"json" help:"Print JSON."`
}

// Check names every setting that is wrong.
func (s *Settings) Check(topology *regions.Topology) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.DatabaseURL == "" {
		wrong("--database-url (or DATABASE_URL) is required")
	}
	if !topology.Has(s.Region) {
		wrong("--region %q is not one of the topology's %v", s.Region, topology.Names())
	}
	addresses := map[string]string{"--listen": s.Listen, "--grpc-listen": s.GRPCListen, "--ops-listen": s.OpsListen}
	for name, address := range addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			wrong("%s %q: want host:port", name, address)
		}
	}
	for name, v := range map[string]struct{ is, least, most int }{
		"--lanes":       {s.Lanes, 1, 256},
		"--batch-size":  {s.BatchSize, 1, 4096},
		"--queue-size":  {s.QueueSize, 1, 1_000_000},
		"--rate-limit":  {s.RateLimit, 0, 1_000_000},
		"--in-flight":   {s.InFlight, 1, 1_000_000},
		"--watchers":    {s.Watchers, 1, 1_000_000},
		"--feed-buffer": {s.FeedBuffer, 256, 10_000_000},
		"--cache-skus":  {s.CacheSKUs, 0, 10_000_000},
		"--max-conns":   {s.MaxConns, max(s.Lanes, 8) + 2, 1000},
	} {
		if v.is < v.least || v.is > v.most {
			wrong("%s %d: want %d to %d", name, v.is, v.least, v.most)
		}
	}
	for name, v := range map[string]struct{ is, least, most time.Duration }{
		"--request-timeout": {s.RequestTimeout, 100 * time.Millisecond, 5 * time.Minute},
		"--tx-timeout":      {s.TxTimeout, time.Second, 5 * time.Minute},
		"--expiry-every":    {s.ExpiryEvery, 50 * time.Millisecond, time.Hour},
		"--verify-every":    {s.VerifyEvery, 0, 7 * 24 * time.Hour},
		"--drain-delay":     {s.DrainDelay, 0, time.Hour},
	} {
		if v.is < v.least || v.is > v.most {
			wrong("%s %s: want %s to %s", name, v.is, v.least, v.most)
		}
	}
	errs = append(errs, s.Access.check(addresses)...)
	errs = append(errs, s.Webhooks.check()...)
	return errors.Join(append(errs, s.TLS.check())...)
}

// LogValue prints the settings with secrets redacted.
func (s Settings) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("region", s.Region), slog.String("listen", s.Listen), slog.String("grpc_listen", s.GRPCListen), slog.String("ops_listen", s.OpsListen),
		slog.String("database_url", Redact(s.DatabaseURL)), slog.String("topology", s.Topology),
		slog.Bool("allow_postgres", s.AllowPostgres),
		slog.Int("lanes", s.Lanes), slog.Int("batch_size", s.BatchSize), slog.Int("queue_size", s.QueueSize), slog.Int("max_conns", s.MaxConns),
		slog.Int("rate_limit", s.RateLimit), slog.Int("in_flight", s.InFlight), slog.Int("watchers", s.Watchers), slog.Int("feed_buffer", s.FeedBuffer), slog.Int("cache_skus", s.CacheSKUs),
		slog.Duration("request_timeout", s.RequestTimeout), slog.Duration("tx_timeout", s.TxTimeout),
		slog.Duration("expiry_every", s.ExpiryEvery), slog.Duration("verify_every", s.VerifyEvery), slog.Duration("drain_delay", s.DrainDelay),
		slog.Bool("anonymous", s.Anonymous), slog.Bool("allow_unverified_database", s.AllowUnverifiedDatabase),
		slog.String("oidc_issuer", s.OIDCIssuer), slog.String("oidc_audience", s.OIDCAudience), slog.String("oidc_grants_claim", s.OIDCGrantsClaim),
		slog.String("tls_cert", s.TLSCert), slog.String("tls_key", s.TLSKey), slog.String("tls_client_ca", s.TLSClientCA),
		slog.String("secret_keys_file", s.SecretKeysFile), slog.Bool("secret_keys", s.SecretKeys != ""), slog.Bool("allow_private_webhooks", s.AllowPrivateWebhooks),
		slog.String("log_level", s.LogLevel), slog.String("log_format", s.LogFormat),
	)
}

// Redact hides the password of a connection string, wherever it stands, and all of a string that
// can't be read as a URL.
func Redact(raw string) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return "[redacted]"
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(name, "password") || name == "sslkey" {
			q.Set(name, "xxxxx")
		}
	}
	u.RawQuery = q.Encode()
	return u.Redacted()
}
