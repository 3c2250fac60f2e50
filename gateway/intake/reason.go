package intake

import (
	"errors"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/cache/revocation/journal"
)

// Reason is why entries were not acknowledged.
type Reason int

// The reasons. Their names are stable: metric labels and answers to senders.
const (
	// Malformed entries are their sender's fault; all others are worth another try.
	Malformed Reason = iota
	// StoreFull means that the store holds as many entries as it may.
	StoreFull
	// NotDurable means that the disk did not take them.
	NotDurable
	// FleetUnavailable means that the fleet's stream did not take them.
	FleetUnavailable

	// NumReasons is how many there are.
	NumReasons
)

var reasonNames = [NumReasons]string{"revocation_malformed", "revocation_store_full", "revocation_not_durable", "revocation_fleet_unavailable"}

// String returns the reason's name.
func (r Reason) String() string { return reasonNames[r] }

// Reasons returns all reasons in their order.
func Reasons() []Reason { return []Reason{Malformed, StoreFull, NotDurable, FleetUnavailable} }

// ReasonOf returns why [Door.Accept] returned err, which is not nil. An error of
// a kind that it does not know is taken for one of the disk.
func ReasonOf(err error) Reason {
	switch {
	case errors.Is(err, revocation.ErrEntry), errors.Is(err, journal.ErrBatch):
		return Malformed
	case errors.Is(err, revocation.ErrFull):
		return StoreFull
	case errors.Is(err, ErrFleet):
		return FleetUnavailable
	}
	return NotDurable
}
