package dev

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"stockyard/service/secrets"
)

// secretKeys gives the file of the keys that encrypt secrets, which lies beside the data and is made
// with them.
func secretKeys(dir string) (file string, err error) {
	file = filepath.Join(dir, "secret-keys.json")
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	keys, err := secrets.New()
	if err != nil {
		return "", err
	}
	text, err := keys.Text()
	if err != nil {
		return "", err
	}
	return file, os.WriteFile(file, text, 0o600)
}
