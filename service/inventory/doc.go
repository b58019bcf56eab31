// Package inventory holds the rules of stock: what a command does to stock levels and reservations,
// and when it must be refused. It is pure: rows, a command and a time in; new rows, events and an
// answer or a refusal out. No clock, no I/O, nothing but the standard library.
package inventory
