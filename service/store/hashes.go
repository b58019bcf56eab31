package store

import "stockyard/service/inventory"

// hashColumn reads a hash, none where the column is empty. One of another length was not written by
// us; it is taken as it is, for verify to find.
type hashColumn inventory.Hash

// ScanBytes implements pgtype.BytesScanner.
func (h *hashColumn) ScanBytes(v []byte) error {
	*h = hashColumn{}
	copy(h[:], v)
	return nil
}
