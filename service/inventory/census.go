package inventory

// Census is how many stock levels of a region there are, and how many of them want looking at.
type Census struct {
	Region string
	// Levels are all; OutOfStock have nothing available; InShortfall let more units go than the books
	// had free.
	Levels, OutOfStock, InShortfall int64
}
