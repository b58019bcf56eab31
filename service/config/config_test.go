package config_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"stockyard/regions"
	"stockyard/service/config"
)

func settings() config.Settings {
	return config.Settings{
		Region: "us-east1", Listen: ":8080", GRPCListen: ":9080", OpsListen: ":8090", Lanes: 2, BatchSize: 256, QueueSize: 1024, MaxConns: 24, InFlight: 4096, Watchers: 10000, FeedBuffer: 16384,
		RequestTimeout: 15 * time.Second, TxTimeout: 15 * time.Second, ExpiryEvery: time.Second, DrainDelay: 3 * time.Second,
		Database: config.Database{DatabaseURL: "postgres://app:s3cret@db:26257/stockyard"},
	}
}

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	good := settings()
	if err := good.Check(topology); err != nil {
		t.Fatalf("the defaults are refused: %v", err)
	}
	bad := config.Settings{Region: "mars", Listen: "nowhere", OpsListen: ":1", Lanes: -1, MaxConns: 3}
	bad.Webhooks = config.Webhooks{SecretKeysFile: "keys.json", SecretKeys: "{}"}
	bad.Access = config.Access{Anonymous: true, OIDCIssuer: "http://id.example.com"}
	err = bad.Check(topology)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"--database-url", "--region", "--listen", "--grpc-listen", "--lanes", "--batch-size", "--queue-size", "--max-conns", "--request-timeout", "--tx-timeout", "--expiry-every", "--anonymous", "--oidc-issuer", "--oidc-audience", "--oidc-grants-claim", "--secret-keys-file"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	for _, url := range []string{
		"postgres://app:s3cret@db:26257/stockyard",
		"postgres://db/stockyard?user=app&password=s3cret",
		"postgres://db/stockyard?sslpassword=s3cret",
		"host=db user=app password=s3cret",
		"postgres://app:s3cret@[bad",
	} {
		s := settings()
		s.DatabaseURL, s.SecretKeys = url, `{"key": "s3cret"}`
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("serving", "settings", s)
		if strings.Contains(out.String(), "s3cret") {
			t.Errorf("%s is printed as %s", url, out.String())
		}
		if !strings.Contains(out.String(), `"region":"us-east1"`) {
			t.Errorf("the settings are not printed: %s", out.String())
		}
	}
}

func TestOnlyLoopbackIsAnonymous(t *testing.T) {
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	for address, ok := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:1": true, "[::1]:1": true, "127.3.2.1:1": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "10.0.0.1:1": false, "localhost.example.com:1": false,
	} {
		for place := range 3 {
			s := settings()
			s.Anonymous, s.Listen, s.GRPCListen, s.OpsListen = true, "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"
			*[]*string{&s.Listen, &s.GRPCListen, &s.OpsListen}[place] = address
			if err := s.Check(topology); (err == nil) != ok {
				t.Errorf("anonymous at %s, %s and %s: %v", s.Listen, s.GRPCListen, s.OpsListen, err)
			}
		}
	}
}
