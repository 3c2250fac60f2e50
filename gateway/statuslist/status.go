package statuslist

// Status is what is known of a token's status. The zero Status is Unknown.
type Status uint8

// The statuses.
const (
	// Unknown: the list is not there, or does not count any more.
	Unknown Status = iota
	// Valid is VALID, 0x00.
	Valid
	// Invalid is INVALID, 0x01: revoked.
	Invalid
	// Suspended is SUSPENDED, 0x02: it may become valid again.
	Suspended
	// Accepted is an application-specific value that the configuration allows.
	Accepted
	// ApplicationSpecific is any other of them: 0x03 and 0x0C to 0x0F.
	ApplicationSpecific
	// Reserved is a value that means nothing yet.
	Reserved
	// OutOfRange is an index that the list does not have.
	OutOfRange
	// Foreign is a list at an address that the configuration does not cover.
	Foreign

	statuses
)

var statusNames = [statuses]string{
	"unknown", "valid", "invalid", "suspended", "accepted", "application_specific", "reserved", "out_of_range", "foreign",
}

// String returns the status's name: a metric label.
func (s Status) String() string {
	if s >= statuses {
		s = Unknown
	}
	return statusNames[s]
}

// Statuses lists all statuses in their order.
func Statuses() []Status {
	all := make([]Status, statuses)
	for i := range all {
		all[i] = Status(i)
	}
	return all
}

// meanings is the status for each value that a list may hold.
type meanings [256]Status

// meaningsOf returns the meanings of all values, with the application-specific ones that are allowed.
func meaningsOf(allowed []uint8) *meanings {
	m := new(meanings)
	for value := range m {
		m[value] = Reserved
	}
	// Token Status List section 7.1.
	m[0x00], m[0x01], m[0x02] = Valid, Invalid, Suspended
	for value := range m {
		if applicationSpecific(uint8(value)) {
			m[value] = ApplicationSpecific
		}
	}
	for _, value := range allowed {
		m[value] = Accepted
	}
	return m
}

// applicationSpecific reports whether applications may give the value a meaning of their own (section 7.1).
func applicationSpecific(value uint8) bool { return value == 0x03 || value >= 0x0c && value <= 0x0f }
