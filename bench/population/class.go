package population

import (
	"slices"
	"strings"
)

// Class says what is the matter with a request's credential, and so what the
// answer to it must be.
type Class string

// The classes: a closed list.
const (
	Valid              Class = "valid"               // A citizen of account level 2.
	ValidLevel1        Class = "valid_level1"        // A citizen of account level 1, where no level is asked for.
	Organisation       Class = "organisation"        // An organisation, which has no level.
	Opaque             Class = "opaque"              // A token that is no JWT: its issuer has to be asked (RFC 7662).
	Public             Class = "public"              // No credential, and none needed: a public path.
	LevelTooLow        Class = "level_too_low"       // A citizen of account level 1, where level 2 is asked for.
	Expired            Class = "expired"             // Expired an hour before it was made.
	NotYetValid        Class = "not_yet_valid"       // Valid from an hour after the corpus' end on.
	Forged             Class = "forged"              // Signed by another key, under the kid of the right one.
	Altered            Class = "altered"             // The payload was changed after it was signed.
	UnknownKey         Class = "unknown_key"         // The kid is one that the issuer never had.
	WrongAudience      Class = "wrong_audience"      // Issued for another relying party.
	WrongIssuer        Class = "wrong_issuer"        // Issued by nobody that the gateway knows.
	Revoked            Class = "revoked"             // Its jti is in [RevokedFile].
	Legacy             Class = "legacy"              // A citizen on an old portal's login, after the cutover.
	LegacyOrganisation Class = "legacy_organisation" // An organisation on it: see [Config.OrganisationCutover].
	OpaqueInactive     Class = "opaque_inactive"     // A token that is no JWT, and of which its issuer says that it is not active.
	Anonymous          Class = "anonymous"           // No credential where one is needed.
)

// kind says how a class' credential is made.
type kind uint8

const (
	kindJWT kind = iota
	kindLegacy
	kindOpaque
	kindNone
)

// trait is what is fixed about a class.
type trait struct {
	class  Class
	kind   kind
	status int
	code   string // of the gateway's problem document
	says   string
}

// traits holds every class, those that pass first.
var traits = [...]trait{
	{Valid, kindJWT, 200, "", "citizen of level 2"},
	{ValidLevel1, kindJWT, 200, "", "citizen of level 1, where no level is needed"},
	{Organisation, kindJWT, 200, "", "organisation, which has no level"},
	{Opaque, kindOpaque, 200, "", "no JWT: the issuer is asked"},
	{Public, kindNone, 200, "", "no token, on a public path"},
	{LevelTooLow, kindJWT, 403, "account_level_insufficient", "citizen of level 1, where level 2 is needed"},
	{Expired, kindJWT, 401, "token_expired", "expired an hour ago"},
	{NotYetValid, kindJWT, 401, "token_not_yet_valid", "valid only after the corpus has expired"},
	{Forged, kindJWT, 401, "signature_invalid", "signed by another key"},
	{Altered, kindJWT, 401, "signature_invalid", "payload changed after it was signed"},
	{UnknownKey, kindJWT, 401, "key_unknown", "a kid that the issuer never had"},
	{WrongAudience, kindJWT, 401, "audience_mismatch", "for another relying party"},
	{WrongIssuer, kindJWT, 401, "issuer_unknown", "of an issuer that nobody knows"},
	{Revoked, kindJWT, 401, "token_revoked", "revoked before the load, by revoked.txt"},
	{Legacy, kindLegacy, 403, "vneid_account_required", "citizen on an old portal's login"},
	{LegacyOrganisation, kindLegacy, 403, "vneid_account_required", "organisation on an old portal's login"},
	{OpaqueInactive, kindOpaque, 401, "token_inactive", "no JWT, and revoked at the issuer"},
	{Anonymous, kindNone, 401, "credential_missing", "no token where one is needed"},
}

// Classes returns every class, those that pass first. The slice is the caller's.
func Classes() []Class {
	all := make([]Class, len(traits))
	for i := range traits {
		all[i] = traits[i].class
	}
	return all
}

// Says tells people what the class is; "" where it is none.
func (c Class) Says() string {
	if i := c.index(); i >= 0 {
		return traits[i].says
	}
	return ""
}

// Passes says whether a request of the class should reach the upstream, as long as
// nobody says otherwise; false where it is no class.
func (c Class) Passes() bool {
	i := c.index()
	return i >= 0 && traits[i].status < 400
}

// index is the place of a class in traits, -1 where it is none.
func (c Class) index() int {
	return slices.IndexFunc(traits[:], func(t trait) bool { return t.class == c })
}

// trait is what is fixed about a class that is one.
func (c Class) trait() *trait { return &traits[c.index()] }

// classNames lists the classes for an error.
func classNames() string {
	var b strings.Builder
	for i := range traits {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(traits[i].class))
	}
	return b.String()
}
