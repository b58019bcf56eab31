package inventory

// AppendJSON appends the event as callers see it, the same that encoding service.EventAnswer by
// reflection gives, at a fraction of the time: a stream gives thousands a second. fits is false where a
// text needs escaping, which is left to the encoder proper.
func (e *Event) AppendJSON(b []byte) (_ []byte, fits bool) {
	w := answerWriter{b: b, fits: true}
	w.text(`{"location":"`, e.Key.Location)
	w.text(`,"sku":"`, e.Key.SKU)
	w.text(`,"region":"`, e.Key.Region)
	w.number(`,"version":`, e.Version)
	w.text(`,"kind":"`, string(e.Kind))
	w.balances(`,"deltas":`, e.Deltas)
	w.balances(`,"balances":`, e.Balances)
	w.text(`,"movement":"`, e.Command.String())
	if e.Reservation != nil {
		w.text(`,"reservation":"`, e.Reservation.String())
	}
	if e.Transfer != nil {
		w.text(`,"transfer":"`, e.Transfer.String())
	}
	if cost := e.UnitCost; cost != nil {
		w.text(`,"unit_cost":{"amount":"`, cost.Amount)
		w.text(`,"currency":"`, cost.Currency)
		w.raw(`}`)
	}
	w.textIfAny(`,"reason":"`, e.Meta.Reason)
	w.textIfAny(`,"reference":"`, e.Meta.Reference)
	w.textIfAny(`,"channel":"`, e.Meta.Channel)
	w.text(`,"actor":"`, e.Meta.Actor)
	w.moment(`,"effective_at":"`, e.Meta.EffectiveAt)
	w.moment(`,"recorded_at":"`, e.RecordedAt)
	w.raw(`}`)
	return w.b, w.fits
}

func (w *answerWriter) balances(before string, b Balances) {
	w.raw(before)
	w.number(`{"on_hand":`, b.OnHand)
	w.number(`,"held":`, b.Held)
	w.number(`,"allocated":`, b.Allocated)
	w.number(`,"quarantined":`, b.Quarantined)
	w.number(`,"incoming":`, b.Incoming)
	w.number(`,"shortfall":`, b.Shortfall)
	w.raw(`}`)
}
