package yard

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds stockyard from the module that this runs in.
func Build(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "stockyard")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "stockyard/cmd/stockyard").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building stockyard: %w: %s", err, out)
	}
	return binary, nil
}

// MakeDir makes a directory for a yard, which the user that runs PostgreSQL for root can pass.
func MakeDir() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "stockyard-soak-"); err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}
