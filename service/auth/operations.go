package auth

import (
	"maps"
	"slices"
)

// Operation names what can be asked for. Both doors, metrics and the audit log use these names.
type Operation string

// The operations.
const (
	PutProduct     Operation = "put_product"
	GetProduct     Operation = "get_product"
	PatchProduct   Operation = "patch_product"
	ArchiveProduct Operation = "archive_product"
	ListProducts   Operation = "list_products"
	ImportProducts Operation = "import_products"

	PutLocation     Operation = "put_location"
	GetLocation     Operation = "get_location"
	PatchLocation   Operation = "patch_location"
	ArchiveLocation Operation = "archive_location"
	ListLocations   Operation = "list_locations"

	PutChannel     Operation = "put_channel"
	GetChannel     Operation = "get_channel"
	PatchChannel   Operation = "patch_channel"
	ArchiveChannel Operation = "archive_channel"
	ListChannels   Operation = "list_channels"

	PutThreshold     Operation = "put_threshold"
	GetThreshold     Operation = "get_threshold"
	PatchThreshold   Operation = "patch_threshold"
	ArchiveThreshold Operation = "archive_threshold"
	ListThresholds   Operation = "list_thresholds"

	ListRegions Operation = "list_regions"

	GetLevel        Operation = "get_level"
	ListEvents      Operation = "list_events"
	ListLevels      Operation = "list_levels"
	GetAvailability Operation = "get_availability"
	Watch           Operation = "watch"

	Move         Operation = "move"
	MoveBatch    Operation = "move_batch"
	Reserve      Operation = "reserve"
	ReserveBatch Operation = "reserve_batch"
	Confirm      Operation = "confirm"
	Extend       Operation = "extend"
	Release      Operation = "release"
	Fulfil       Operation = "fulfil"

	GetReservation   Operation = "get_reservation"
	ListReservations Operation = "list_reservations"

	CreateTransfer  Operation = "create_transfer"
	ShipTransfer    Operation = "ship_transfer"
	ReceiveTransfer Operation = "receive_transfer"
	CloseTransfer   Operation = "close_transfer"
	CancelTransfer  Operation = "cancel_transfer"
	GetTransfer     Operation = "get_transfer"
	ListTransfers   Operation = "list_transfers"

	PutWebhook     Operation = "put_webhook"
	GetWebhook     Operation = "get_webhook"
	DeleteWebhook  Operation = "delete_webhook"
	ListWebhooks   Operation = "list_webhooks"
	ListDeliveries Operation = "list_deliveries"
	Redeliver      Operation = "redeliver"

	Verify Operation = "verify"

	ListReports Operation = "list_reports"
	RunReport   Operation = "run_report"

	CreateKey    Operation = "create_key"
	GetKey       Operation = "get_key"
	ListKeys     Operation = "list_keys"
	RevokeKey    Operation = "revoke_key"
	ListAuditLog Operation = "list_audit_log"
	ListSeals    Operation = "list_seals"
)

// MoveKind is the operation of one kind of movement: Move says who may move anything at all, this
// one who may do that.
func MoveKind(kind string) Operation { return Move + ":" + Operation(kind) }

// MoveShort is a sale of units that the books don't have free.
const MoveShort = Move + ":sell_short"

// Reach says which grants count for an operation.
type Reach int

// The reaches.
const (
	// Anywhere concerns no place: any grant of the role will do.
	Anywhere Reach = iota
	// Everywhere concerns all places: a bound grant doesn't do.
	Everywhere
	// Placed concerns places: the grant must cover each of them.
	Placed
)

// Rule says which roles may do an operation. Admin may always.
type Rule struct {
	Roles []Role
	Reach Reach
}

func (r Rule) takes(role Role) bool { return role == Admin || slices.Contains(r.Roles, role) }

// counts says whether a grant does at a place.
func (r Rule) counts(g Grant, at Place) bool {
	switch r.Reach {
	case Anywhere:
		return true
	case Everywhere:
		return !g.Bound()
	case Placed:
		return g.Covers(at)
	}
	return false
}

var (
	anybody    = []Role{Viewer, POS, Warehouse, Planner, Integrator}
	keepers    = []Role{Planner, Integrator}
	sellers    = []Role{POS, Integrator}
	handlers   = []Role{Warehouse, Integrator}
	shippers   = []Role{POS, Warehouse, Integrator}
	analysts   = []Role{Viewer, Planner}
	planners   = []Role{Warehouse, Planner, Integrator}
	connectors = []Role{Integrator}
	adminsOnly = []Role{}
)

// rules is the one table of who may do what. An operation that isn't in it is nobody's.
var rules = map[Operation]Rule{
	PutProduct:     {keepers, Everywhere},
	GetProduct:     {anybody, Anywhere},
	PatchProduct:   {keepers, Everywhere},
	ArchiveProduct: {keepers, Everywhere},
	ListProducts:   {anybody, Anywhere},
	ImportProducts: {keepers, Everywhere},

	PutLocation:     {connectors, Placed},
	GetLocation:     {anybody, Anywhere},
	PatchLocation:   {connectors, Placed},
	ArchiveLocation: {connectors, Placed},
	ListLocations:   {anybody, Anywhere},

	PutChannel:     {keepers, Everywhere},
	GetChannel:     {anybody, Anywhere},
	PatchChannel:   {keepers, Everywhere},
	ArchiveChannel: {keepers, Everywhere},
	ListChannels:   {anybody, Anywhere},

	PutThreshold:     {keepers, Everywhere},
	GetThreshold:     {anybody, Anywhere},
	PatchThreshold:   {keepers, Everywhere},
	ArchiveThreshold: {keepers, Everywhere},
	ListThresholds:   {anybody, Anywhere},

	ListRegions: {anybody, Anywhere},

	GetLevel:        {anybody, Placed},
	ListEvents:      {anybody, Placed},
	ListLevels:      {anybody, Placed},
	GetAvailability: {anybody, Placed},
	Watch:           {anybody, Placed},

	Move:                   {shippers, Placed},
	MoveBatch:              {shippers, Placed},
	MoveKind("receive"):    {handlers, Placed},
	MoveKind("sell"):       {sellers, Placed},
	MoveShort:              {[]Role{POS}, Placed},
	MoveKind("return"):     {shippers, Placed},
	MoveKind("adjust"):     {handlers, Placed},
	MoveKind("count"):      {handlers, Placed},
	MoveKind("quarantine"): {handlers, Placed},
	MoveKind("restore"):    {handlers, Placed},
	MoveKind("scrap"):      {handlers, Placed},

	Reserve:          {sellers, Placed},
	ReserveBatch:     {sellers, Placed},
	Confirm:          {sellers, Placed},
	Extend:           {sellers, Placed},
	Release:          {sellers, Placed},
	Fulfil:           {shippers, Placed},
	GetReservation:   {anybody, Placed},
	ListReservations: {anybody, Placed},

	// A transfer is its sender's until it arrives: receiving takes a grant at the destination, all
	// else one at the origin; reading it, one at either.
	CreateTransfer:  {planners, Placed},
	ShipTransfer:    {handlers, Placed},
	ReceiveTransfer: {handlers, Placed},
	CloseTransfer:   {planners, Placed},
	CancelTransfer:  {planners, Placed},
	GetTransfer:     {anybody, Placed},
	ListTransfers:   {anybody, Placed},

	// What a webhook is told leaves the system: its owner must be one who may see everything.
	PutWebhook:     {connectors, Everywhere},
	GetWebhook:     {connectors, Everywhere},
	DeleteWebhook:  {connectors, Everywhere},
	ListWebhooks:   {connectors, Everywhere},
	ListDeliveries: {connectors, Everywhere},
	Redeliver:      {connectors, Everywhere},

	Verify: {connectors, Everywhere},

	// A report reads of all places at once.
	ListReports: {analysts, Anywhere},
	RunReport:   {analysts, Everywhere},

	CreateKey:    {adminsOnly, Everywhere},
	GetKey:       {adminsOnly, Everywhere},
	ListKeys:     {adminsOnly, Everywhere},
	RevokeKey:    {adminsOnly, Everywhere},
	ListAuditLog: {adminsOnly, Everywhere},
	ListSeals:    {adminsOnly, Everywhere},
}

// RuleOf gives an operation's rule.
func RuleOf(op Operation) (Rule, bool) {
	rule, known := rules[op]
	return rule, known
}

// Operations lists the operations that have a rule.
func Operations() []Operation { return slices.Sorted(maps.Keys(rules)) }
