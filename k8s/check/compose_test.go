package check

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func compose(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{root + "/docker-compose.yml"}, cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context()) // checks it against the schema of compose files
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// once are services that do their work and end.
var once = []string{"init", "migrate"}

func TestComposeKeepsWhatItStarts(t *testing.T) {
	for name, s := range compose(t).Services {
		if _, tag, tagged := strings.Cut(s.Image, ":"); !tagged || tag == "latest" {
			t.Errorf("%s runs image %q: want a version", name, s.Image)
		}
		if s.Privileged || len(s.CapAdd) > 0 {
			t.Errorf("%s has more rights than it needs", name)
		}
		if slices.Contains(once, name) {
			if s.Restart != "no" {
				t.Errorf("%s is started again and again: restart %q", name, s.Restart)
			}
			continue
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s stays away when it ends: restart %q", name, s.Restart)
		}
		if s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) < 2 {
			t.Errorf("nobody knows whether %s is well", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s can be reached from elsewhere: %s:%s", name, p.HostIP, p.Published)
			}
		}
	}
}

// What a service waits for is what it needs: others that are well, or work that is done.
func TestComposeStartsInOrder(t *testing.T) {
	project := compose(t)
	for name, s := range project.Services {
		for on, d := range s.DependsOn {
			want := types.ServiceConditionHealthy
			if slices.Contains(once, on) {
				want = types.ServiceConditionCompletedSuccessfully
			}
			if name != "init" && d.Condition != want { // nodes become well by init
				t.Errorf("%s waits for %s to be %s, not %s", name, on, d.Condition, want)
			}
		}
	}
	for pod, needs := range map[string][]string{"migrate": {"init"}, "us-east1": {"migrate", "crdb-us-east1"}, "haproxy": {"us-east1", "europe-west1", "asia-southeast1"}, "grafana": {"prometheus"}} {
		for _, need := range needs {
			if _, waits := project.Services[pod].DependsOn[need]; !waits {
				t.Errorf("%s doesn't wait for %s", pod, need)
			}
		}
	}
}

// Each region of topology.yaml has a node that says so, and a pod that asks that node first.
func TestComposeHasEveryRegion(t *testing.T) {
	project := compose(t)
	for _, r := range readTopology(t).Regions {
		node, pod := project.Services["crdb-"+r.Name], project.Services[r.Name]
		if !slices.ContainsFunc(node.Command, func(arg string) bool {
			zone, there := strings.CutPrefix(arg, "--locality=region="+r.Name+",zone=")
			return there && slices.Contains(r.Zones, zone)
		}) {
			t.Errorf("no node is in %s: %q", r.Name, node.Command)
		}
		if len(node.Volumes) != 1 || node.Volumes[0].Type != types.VolumeTypeVolume {
			t.Errorf("the node of %s forgets its data", r.Name)
		}
		region, url := pod.Environment["STOCKYARD_REGION"], pod.Environment["DATABASE_URL"]
		if region == nil || *region != r.Name || url == nil || !strings.HasPrefix(*url, "postgres://root@crdb-"+r.Name+":26257,") {
			t.Errorf("the pod of %s isn't there, or asks another region's node first", r.Name)
		}
		if len(pod.Ports) > 0 || !pod.ReadOnly {
			t.Errorf("pods of %s can't be several, or can write", r.Name)
		}
		if pod.StopGracePeriod == nil || time.Duration(*pod.StopGracePeriod) < 38*time.Second {
			t.Errorf("pods of %s are killed while they drain", r.Name)
		}
	}
}

// The files that services are given are there, and name services that are.
func TestComposeFilesFit(t *testing.T) {
	project := compose(t)
	for name, s := range project.Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !v.ReadOnly {
				t.Errorf("%s may write %s", name, v.Source)
			}
		}
	}
	read := func(file string) string {
		text, err := os.ReadFile(filepath.Join(root, "k8s/compose", file))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	balancer := read("pods.cfg")
	for _, server := range regexp.MustCompile(`server-template \S+ 4 (\S+):(8080|9080)`).FindAllStringSubmatch(balancer, -1) {
		if _, there := project.Services[server[1]]; !there {
			t.Errorf("HAProxy looks for %s, which no service is called", server[1])
		}
	}
	var published, bound []string
	for _, p := range project.Services["haproxy"].Ports {
		published = append(published, p.Published)
	}
	for _, bind := range regexp.MustCompile(`bind :(\d+)`).FindAllStringSubmatch(balancer, -1) {
		bound = append(bound, bind[1])
	}
	slices.Sort(published)
	slices.Sort(bound)
	if !slices.Equal(published, bound) {
		t.Errorf("HAProxy listens on %v, and %v are published", bound, published)
	}
	for _, target := range regexp.MustCompile(`"([\w-]+):\d+"`).FindAllStringSubmatch(read("prometheus.yml"), -1) {
		if _, there := project.Services[target[1]]; !there {
			t.Errorf("Prometheus looks for %s, which no service is called", target[1])
		}
	}
}
