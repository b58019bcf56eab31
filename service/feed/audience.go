package feed

// audience is a hub's readers by what they wait for, so that an entry costs those who want it and not
// everybody who reads. The hub's lock guards it.
type audience struct {
	bySKU map[string]map[*Reader]struct{}
	wide  map[*Reader]struct{} // those who watch no SKU in particular
	due   []*Reader            // those who are to be woken
}

func newAudience() *audience {
	return &audience{bySKU: map[string]map[*Reader]struct{}{}, wide: map[*Reader]struct{}{}}
}

func (a *audience) add(r *Reader) {
	if len(r.watched.SKUs) == 0 {
		a.wide[r] = struct{}{}
	}
	for _, sku := range r.watched.SKUs {
		if a.bySKU[sku] == nil {
			a.bySKU[sku] = map[*Reader]struct{}{}
		}
		a.bySKU[sku][r] = struct{}{}
	}
}

func (a *audience) remove(r *Reader) {
	delete(a.wide, r)
	for _, sku := range r.watched.SKUs {
		if delete(a.bySKU[sku], r); len(a.bySKU[sku]) == 0 {
			delete(a.bySKU, sku)
		}
	}
}

// offer says that entries have come into the ring, the first of which has a number there.
func (a *audience) offer(items []*Item, first int64) {
	if len(items) == 0 {
		return
	}
	for r := range a.wide {
		a.offerTo(r, first)
	}
	if len(a.bySKU) == 0 {
		return
	}
	for k, i := range items {
		for r := range a.bySKU[i.sku()] {
			a.offerTo(r, first+int64(k))
		}
	}
}

func (a *audience) offerTo(r *Reader, number int64) {
	if r.offered < 0 {
		r.offered = number
	}
	a.wake(r)
}

// wakeAll is for when readers must look where they are.
func (a *audience) wakeAll() {
	for r := range a.wide {
		a.wake(r)
	}
	for _, readers := range a.bySKU {
		for r := range readers {
			a.wake(r)
		}
	}
}

func (a *audience) wake(r *Reader) {
	if !r.due {
		r.due = true
		a.due = append(a.due, r)
	}
}

// takeDue gives those who are to be woken, once.
func (a *audience) takeDue() []*Reader {
	due := a.due
	a.due = nil
	for _, r := range due {
		r.due = false
	}
	return due
}
