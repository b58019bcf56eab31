package main

import (
	"os"

	"stockyard/service/secrets"
)

type secretsCommand struct {
	New    secretsNewCommand    `cmd:"" help:"Make keys for encrypting secrets, and print them."`
	Rotate secretsRotateCommand `cmd:"" help:"Add a new key to those of a file, by which secrets are encrypted from then on, and print all."`
}

type secretsNewCommand struct{}

func (secretsNewCommand) Run() error {
	keys, err := secrets.New()
	return printKeyset(keys, err)
}

type secretsRotateCommand struct {
	File string `arg:"" help:"The keys so far." type:"existingfile"`
}

func (c secretsRotateCommand) Run() error {
	keys, err := secrets.Load(c.File, "")
	if err == nil {
		keys, err = keys.Rotate()
	}
	return printKeyset(keys, err)
}

func printKeyset(keys *secrets.Keys, err error) error {
	if err != nil {
		return err
	}
	text, err := keys.Text()
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	return err
}
