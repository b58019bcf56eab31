// Package sql embeds the SQL that people read and run by themselves: migrations and reports.
package sql

import "embed"

// Migrations are the schema's steps, applied in the order of their file names.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Reports are what analysts ask, one question a file: its header says what it takes and gives.
//
//go:embed reports/*.sql
var Reports embed.FS

// Analyst makes the role of those who read the views, and says what it may read.
//
//go:embed analyst.sql
var Analyst string
