package inventory

import "time"

// Event is the immutable record of one change to one stock level. Balances are those after it.
type Event struct {
	Key         LevelKey
	Version     int64
	Kind        Kind
	Deltas      Balances
	Balances    Balances
	Command     ID  // the command that made it: a movement's id, or that of a reservation's step
	Reservation *ID // nil where no reservation is concerned
	Transfer    *ID // nil where no transfer is concerned
	UnitCost    *Money
	Meta        Meta
	RecordedAt  time.Time
	Hash        Hash // of the chain that the level's events form
}

// Kind names what happened to a stock level.
type Kind string

// The kinds of events. The first group are movements, which callers ask for by name; the second
// are steps of a reservation; the third are what each end of a transfer sees of its steps: units
// leave the origin and are expected at the destination; they are received there, or lost, or no
// longer expected because they returned to the origin.
const (
	KindReceive    Kind = "receive"
	KindSell       Kind = "sell"
	KindReturn     Kind = "return"
	KindAdjust     Kind = "adjust"
	KindCount      Kind = "count"
	KindQuarantine Kind = "quarantine"
	KindRestore    Kind = "restore"
	KindScrap      Kind = "scrap"

	KindReserve Kind = "reserve"
	KindConfirm Kind = "confirm"
	KindRelease Kind = "release"
	KindFulfil  Kind = "fulfil"
	KindExpire  Kind = "expire"

	KindTransferShip    Kind = "transfer_ship"    // origin
	KindTransferExpect  Kind = "transfer_expect"  // destination
	KindTransferReceive Kind = "transfer_receive" // destination
	KindTransferLose    Kind = "transfer_lose"    // destination
	KindTransferRecall  Kind = "transfer_recall"  // destination
	KindTransferReturn  Kind = "transfer_return"  // origin
)

// EventKinds lists the kinds of events: movements, the steps of a reservation, and those of a transfer.
func EventKinds() []Kind {
	return append(MovementKinds(),
		KindReserve, KindConfirm, KindRelease, KindFulfil, KindExpire,
		KindTransferShip, KindTransferExpect, KindTransferReceive, KindTransferLose, KindTransferRecall, KindTransferReturn)
}

// Meta says who did something and why. It is copied into every event of a command.
type Meta struct {
	Actor       string
	Reason      string
	Reference   string
	Channel     string
	EffectiveAt time.Time // zero: when it is recorded
}

// Money is an amount as the caller wrote it, a decimal, with an ISO 4217 currency.
type Money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}
