package check

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The image is made of nothing but what `make image` built, and runs as nobody.
func TestTheImageIsMadeFromNothing(t *testing.T) {
	text, err := os.ReadFile(root + "/cmd/stockyard/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range regexp.MustCompile(`(?m)^FROM (.*)$`).FindAllStringSubmatch(string(text), -1) {
		if from[1] != "scratch" {
			t.Errorf("it is made from %s", from[1])
		}
	}
	if regexp.MustCompile(`(?m)^(RUN|ADD) `).Match(text) {
		t.Error("it takes more than files to build it")
	}
	if !regexp.MustCompile(`(?m)^USER [1-9]\d*:[1-9]\d*$`).Match(text) {
		t.Error("it runs as root, or as a name that Kubernetes can't tell from root")
	}
	makefile, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"CGO_ENABLED=0", "-trimpath", "-buildvcs=false", "-X main.version"} {
		if !strings.Contains(string(makefile), flag) {
			t.Errorf("it isn't static, or not the same again, or has no version: %s is missing", flag)
		}
	}
	ports := workload(t, build(t, root+"/k8s/overlays/us-east1"), "Deployment").Ports
	if len(ports) != 3 || !strings.Contains(string(text), "EXPOSE 8080 9080 8090") {
		t.Errorf("ports are %v", ports)
	}
}
