package pod_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"stockyard/service/auth"
	"stockyard/service/store/storetest"
)

// answer is what a pod answers.
type answer struct {
	status int
	header http.Header
	body   string
}

// as asks a pod with a credential; "" is none.
func (p *process) as(t *testing.T, credential, method, path, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, p.url()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if credential != "" {
		request.Header.Set("Authorization", "Bearer "+credential)
	}
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	raw, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(raw)}
}

func (a answer) is(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("answered %d, not %d: %s", a.status, status, a.body)
	}
	return a
}

// key reads an answer that is a key.
func (a answer) key(t *testing.T) (k struct {
	Text string `json:"key"`
	auth.Key
},
) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &k); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return k
}

// stockyard runs a command on the database and gives what it prints.
func (p *process) stockyard(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.binary, args...)
	cmd.Env = append(os.Environ(), "STOCKYARD_DATABASE_URL="+p.database)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("stockyard %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(string(out))
}

// within waits until something is so, and says how long it took.
func within(t *testing.T, most time.Duration, what string, is func() bool) {
	t.Helper()
	began := time.Now()
	for ; !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > most {
			t.Fatalf("not within %s: %s", most, what)
		}
	}
	t.Logf("%s: %s", what, time.Since(began).Round(time.Millisecond))
}

const regionsPath, keysPath = "/v1/regions", "/v1/keys"

// The first key is made on the database, others through the API. Each does what its grants say, at
// every pod, until it expires or is revoked; and no secret is found in what the pods log.
func TestKeysFromTheFirstToTheLast(t *testing.T) {
	binary := build(t)
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		pods, _ := startPods(t, binary, db, "--log-level", "debug")
		here, there := pods[0], pods[1]
		refused := here.as(t, "", "GET", regionsPath, "").is(t, 401)
		if got := refused.header.Get("WWW-Authenticate"); got != `Bearer realm="stockyard"` || !strings.Contains(refused.body, "/problems/unauthenticated") {
			t.Errorf("without a credential: %s, %s", got, refused.body)
		}

		admin := here.stockyard(t, "key", "create", "--name", "first", "--grant", "admin")
		here.as(t, admin, "GET", regionsPath, "").is(t, 200)
		made := here.as(t, admin, "POST", keysPath, `{"name": "dock 3", "grants": ["warehouse@region:europe-west1", "viewer"]}`).is(t, 201).key(t)
		short := here.as(t, admin, "POST", keysPath, `{"name": "guest", "grants": ["viewer"], "expires_in": "4s"}`).is(t, 201).key(t)
		for _, p := range pods {
			p.as(t, made.Text, "GET", regionsPath, "").is(t, 200)
			p.as(t, short.Text, "GET", regionsPath, "").is(t, 200)
			p.as(t, made.Text, "GET", keysPath, "").is(t, 403)
		}
		for _, credential := range []string{admin + "x", auth.NewAPIKey().Reveal(), swapped(admin, made.Text), "eyJhbGciOiJub25lIn0.e30."} {
			bad := here.as(t, credential, "GET", regionsPath, "").is(t, 401)
			if !strings.Contains(bad.header.Get("WWW-Authenticate"), `error="invalid_token"`) || !strings.Contains(bad.body, "this credential is not accepted") {
				t.Errorf("a bad credential: %s, %s", bad.header, bad.body)
			}
		}

		path := keysPath + "/" + made.ID
		within(t, 20*time.Second, "the key's use is written down", func() bool {
			return there.as(t, admin, "GET", path, "").is(t, 200).key(t).LastUsedAt != nil
		})
		within(t, time.Until(short.ExpiresAt.Add(5*time.Second)), "the expired key is refused", func() bool {
			return here.as(t, short.Text, "GET", regionsPath, "").status == 401 && there.as(t, short.Text, "GET", regionsPath, "").status == 401
		})
		for _, p := range pods { // each has just seen that it is good
			p.as(t, made.Text, "GET", regionsPath, "").is(t, 200)
		}
		here.as(t, admin, "DELETE", path, "").is(t, 204)
		within(t, 5*time.Second, "the revoked key is refused", func() bool {
			return here.as(t, made.Text, "GET", regionsPath, "").status == 401 && there.as(t, made.Text, "GET", regionsPath, "").status == 401
		})
		here.as(t, admin, "DELETE", path, "").is(t, 204) // again, as after a lost answer
		if k := there.as(t, admin, "GET", path, "").is(t, 200).key(t); k.Status != auth.KeyRevoked || k.RevokedAt == nil || !strings.HasPrefix(k.CreatedBy, "key:") {
			t.Errorf("the revoked key reads %+v", k)
		}

		here.stockyard(t, "key", "revoke", admin[3:19])
		within(t, 5*time.Second, "the first key is refused", func() bool { return there.as(t, admin, "GET", regionsPath, "").status == 401 })
		if list := here.stockyard(t, "key", "list"); !strings.Contains(list, "dock 3") || !strings.Contains(list, "warehouse@region:europe-west1 viewer") {
			t.Errorf("the list of keys:\n%s", list)
		}
		keepsSecrets(t, pods, admin, made.Text, short.Text)
	})
}

// swapped is a key that has one's id and the other's secret, with a checksum that fits neither.
func swapped(id, secret string) string { return id[:20] + secret[20:] }

// keepsSecrets looks for keys and their hashes in what pods have logged.
func keepsSecrets(t *testing.T, pods []*process, keys ...string) {
	t.Helper()
	for _, p := range pods {
		raw, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		log := string(raw)
		if !strings.Contains(log, "level=INFO") {
			t.Errorf("the log of %s is no log: %s", p.region, log)
		}
		for _, text := range keys {
			key, err := auth.ParseAPIKey(text)
			if err != nil {
				t.Fatal(err)
			}
			hash := key.Hash()
			for _, secret := range []string{text[20:72], text[20:40], hex.EncodeToString(hash), base64.StdEncoding.EncodeToString(hash), fmt.Sprintf("%d", hash), string(hash)} {
				if strings.Contains(log, secret) {
					t.Errorf("the log of %s has a secret in it: %s", p.region, secret)
				}
			}
		}
	}
	if raw, _ := os.ReadFile(pods[0].log); !strings.Contains(string(raw), "credential refused") {
		t.Error("the log doesn't say why credentials were refused")
	}
}

// Anonymous access and a database that isn't verified are for those who say so.
func TestServeRefusesWhatIsOpenToOthers(t *testing.T) {
	binary := build(t)
	for want, args := range map[string][]string{
		"--anonymous lets everybody do everything": {"--anonymous", "--listen", ":0", "--ops-listen", "127.0.0.1:0", "--database-url", "postgres://127.0.0.1/x"},
		"add sslmode=verify-full":                  {"--database-url", "postgres://crdb.example.com:26257,127.0.0.1:26257/x?sslmode=require"},
		"--oidc-audience is required":              {"--database-url", "postgres://127.0.0.1/x", "--oidc-issuer", "https://id.example.com"},
		"http is for this machine only":            {"--database-url", "postgres://127.0.0.1/x", "--oidc-issuer", "http://id.example.com", "--oidc-audience", "x"},
	} {
		out, err := exec.CommandContext(t.Context(), binary, append([]string{"serve", "--region", "us-east1"}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("serve %s: %v\n%s\nwant %q", strings.Join(args, " "), err, out, want)
		}
	}
}
