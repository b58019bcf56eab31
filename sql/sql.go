// Package sql embeds the SQL that people read and run by themselves: migrations and reports.
package sql

import "embed"

// Migrations are the schema's steps, applied in the order of their file names.
//
//go:embed migrations/*.sql
var Migrations embed.FS
