package reject

import "github.com/valyala/fasthttp"

// entry is one line of the table of codes.
type entry struct {
	name       string
	status     int
	class      Class
	bearer     string // RFC 6750 section 3.1 and RFC 9470 section 3 error
	heading    *heading
	vi, en     string // en is ASCII: it is also the error_description
	retryAfter int    // seconds
	retryable  bool
	closes     bool
	login      bool // names the hotline, links to the login
	inPerson   bool // says that an application can be filed in person
}

func (e *entry) text() text { return text{e.vi, e.en} }

// Errors of the Bearer challenge.
const (
	invalidRequest    = "invalid_request"
	invalidToken      = "invalid_token"
	insufficientScope = "insufficient_scope"
	// RFC 9470 section 3.
	insufficientAuthentication = "insufficient_user_authentication"
)

var table = [codeCount]entry{
	InternalError: {
		name: "internal_error", status: fasthttp.StatusInternalServerError, class: ClassInternal, closes: true,
		heading: headingInternal,
		vi:      "Hệ thống gặp lỗi ngoài dự kiến. Vui lòng thử lại sau.",
		en:      "An unexpected error occurred. Please try again later.",
	},

	CredentialMissing:   credential("credential_missing", fasthttp.StatusUnauthorized, "", "Dịch vụ này yêu cầu đăng nhập. Vui lòng đăng nhập bằng tài khoản VNeID.", "This service requires a login. Please log in with a VNeID account."),
	CredentialsMultiple: credential("credentials_multiple", fasthttp.StatusBadRequest, invalidRequest, "Yêu cầu mang nhiều hơn một thông tin đăng nhập. Vui lòng đăng xuất rồi đăng nhập lại.", "The request carries more than one credential. Please log out and log in again."),
	CredentialMalformed: credential("credential_malformed", fasthttp.StatusBadRequest, invalidRequest, "Thông tin đăng nhập không đúng định dạng. Vui lòng đăng nhập lại.", "The credential is malformed. Please log in again."),
	TokenTooLarge:       credential("token_too_large", fasthttp.StatusBadRequest, invalidRequest, "Thông tin đăng nhập vượt quá kích thước cho phép. Vui lòng đăng nhập lại.", "The access token is too large. Please log in again."),

	TokenMalformed:           token401("token_malformed", "Không đọc được thông tin đăng nhập. Vui lòng đăng nhập lại.", "The access token is malformed. Please log in again."),
	TokenAlgorithmNotAllowed: token401("token_algorithm_not_allowed", "Thông tin đăng nhập dùng thuật toán ký không được chấp nhận. Vui lòng đăng nhập lại.", "The signature algorithm of the access token is not allowed. Please log in again."),
	TokenTypeNotAllowed:      token401("token_type_not_allowed", "Thông tin đăng nhập không đúng loại. Vui lòng đăng nhập lại.", "The token is not an access token. Please log in again."),
	TokenCriticalHeader:      token401("token_critical_header", "Thông tin đăng nhập có phần mở rộng không được hỗ trợ. Vui lòng đăng nhập lại.", "The access token uses an unsupported extension. Please log in again."),
	IssuerUnknown:            token401("issuer_unknown", "Không xác định được nơi cấp phiên đăng nhập. Vui lòng đăng nhập bằng tài khoản VNeID.", "The issuer of the access token is unknown. Please log in with a VNeID account."),
	IssuerNotAccepted:        token401("issuer_not_accepted", "Hệ thống này không chấp nhận nơi cấp phiên đăng nhập. Vui lòng đăng nhập bằng tài khoản VNeID.", "This site does not accept the issuer of the access token. Please log in with a VNeID account."),
	KeyUnknown:               token401("key_unknown", "Không xác minh được phiên đăng nhập: không có khóa tương ứng. Vui lòng đăng nhập lại.", "The access token is signed with an unknown key. Please log in again."),
	KeyWithdrawn:             token401("key_withdrawn", "Khóa ký của phiên đăng nhập đã bị thu hồi. Vui lòng đăng nhập lại.", "The key that signed the access token was withdrawn. Please log in again."),
	SignatureInvalid:         token401("signature_invalid", "Chữ ký của phiên đăng nhập không hợp lệ. Vui lòng đăng nhập lại.", "The signature of the access token is invalid. Please log in again."),
	TokenExpired:             token401("token_expired", "Phiên đăng nhập đã hết hạn. Vui lòng đăng nhập lại.", "The login has expired. Please log in again."),
	TokenNotYetValid:         token401("token_not_yet_valid", "Phiên đăng nhập chưa có hiệu lực. Vui lòng thử lại sau ít phút hoặc đăng nhập lại.", "The login is not valid yet. Please try again in a few minutes, or log in again."),
	TokenIssuedInFuture:      token401("token_issued_in_future", "Thời điểm cấp phiên đăng nhập nằm trong tương lai. Vui lòng đăng nhập lại.", "The access token was issued in the future. Please log in again."),
	TokenLifetimeTooLong:     token401("token_lifetime_too_long", "Thời hạn của phiên đăng nhập vượt quá mức cho phép. Vui lòng đăng nhập lại.", "The lifetime of the access token is longer than allowed. Please log in again."),
	AudienceMismatch:         token401("audience_mismatch", "Phiên đăng nhập không được cấp cho hệ thống này. Vui lòng đăng nhập lại.", "The access token was not issued for this site. Please log in again."),
	ClaimMissing:             token401("claim_missing", "Phiên đăng nhập thiếu thông tin bắt buộc. Vui lòng đăng nhập lại.", "The access token lacks a required claim. Please log in again."),
	ClaimInvalid:             token401("claim_invalid", "Phiên đăng nhập có thông tin không hợp lệ. Vui lòng đăng nhập lại.", "The access token has an invalid claim. Please log in again."),
	TokenRevoked:             token401("token_revoked", "Phiên đăng nhập đã bị thu hồi. Vui lòng đăng nhập lại.", "The login was revoked. Please log in again."),
	TokenInactive:            token401("token_inactive", "Phiên đăng nhập không còn hiệu lực. Vui lòng đăng nhập lại.", "The login is no longer active. Please log in again."),
	AuthenticationInsufficient: {
		name: "authentication_insufficient", status: fasthttp.StatusUnauthorized, class: ClassForbidden,
		bearer: insufficientAuthentication, login: true, heading: headingStepUp,
		vi: "Dịch vụ này yêu cầu xác thực ở mức cao hơn hoặc gần đây hơn. Vui lòng đăng nhập lại để xác thực.",
		en: "This service requires a stronger or more recent authentication. Please log in again.",
	},

	VNeIDAccountRequired:     account("vneid_account_required", wordingCutover.VI, wordingCutover.EN),
	AccountKindNotAllowed:    account("account_kind_not_allowed", "Loại tài khoản này không sử dụng được cho dịch vụ. Vui lòng đăng nhập bằng loại tài khoản phù hợp.", "This kind of account cannot be used for the service. Please log in with an account of a suitable kind."),
	AccountKindUnknown:       account("account_kind_unknown", "Không xác định được loại tài khoản. Vui lòng đăng nhập lại bằng tài khoản VNeID.", "The kind of the account could not be determined. Please log in again with a VNeID account."),
	AccountLevelInsufficient: account("account_level_insufficient", wordingLevel2.VI, wordingLevel2.EN),
	CitizenAccountCreationRemoved: {
		name: "citizen_account_creation_removed", status: fasthttp.StatusForbidden, class: ClassForbidden,
		login: true, heading: headingRemoved,
		vi: "Chức năng tạo lập tài khoản công dân đã được gỡ bỏ.",
		en: "The function for creating citizen accounts was removed.",
	},
	RouteDenied: {
		name: "route_denied", status: fasthttp.StatusForbidden, class: ClassForbidden, heading: headingDenied,
		vi: "Địa chỉ này không được phép truy cập.",
		en: "Access to this address is not allowed.",
	},

	HostUnknown:                 request("host_unknown", fasthttp.StatusMisdirectedRequest, "Máy chủ này không phục vụ tên miền được yêu cầu.", "This server does not serve the requested host."),
	RequestMalformed:            request("request_malformed", fasthttp.StatusBadRequest, "Yêu cầu không đúng định dạng HTTP.", "The request is malformed."),
	TargetMalformed:             request("target_malformed", fasthttp.StatusBadRequest, "Địa chỉ được yêu cầu không hợp lệ.", "The request target is malformed."),
	HeaderTooLarge:              request("header_too_large", fasthttp.StatusRequestHeaderFieldsTooLarge, "Phần đầu của yêu cầu vượt quá kích thước cho phép. Vui lòng xóa cookie của trang này rồi thử lại.", "The request header is too large. Please delete the cookies of this site and try again."),
	TargetTooLong:               request("target_too_long", fasthttp.StatusRequestURITooLong, "Địa chỉ được yêu cầu quá dài.", "The request target is too long."),
	BodyTooLarge:                request("body_too_large", fasthttp.StatusRequestEntityTooLarge, "Dữ liệu gửi lên vượt quá kích thước cho phép.", "The request body is too large."),
	ExpectationFailed:           request("expectation_failed", fasthttp.StatusExpectationFailed, "Không đáp ứng được điều kiện mà yêu cầu đặt ra.", "The expectation of the request cannot be met."),
	MethodNotSupported:          request("method_not_supported", fasthttp.StatusNotImplemented, "Phương thức của yêu cầu không được hỗ trợ.", "The request method is not supported."),
	TransferEncodingUnsupported: request("transfer_encoding_unsupported", fasthttp.StatusNotImplemented, "Cách mã hóa truyền tải của yêu cầu không được hỗ trợ.", "The transfer coding of the request is not supported."),
	HTTPVersionUnsupported:      request("http_version_unsupported", fasthttp.StatusHTTPVersionNotSupported, "Phiên bản HTTP của yêu cầu không được hỗ trợ.", "The HTTP version of the request is not supported."),
	RequestTimeout: {
		name: "request_timeout", status: fasthttp.StatusRequestTimeout, class: ClassInvalid, closes: true, retryable: true,
		heading: headingRequest,
		vi:      "Yêu cầu không được gửi đến đầy đủ trong thời gian cho phép. Vui lòng thử lại.",
		en:      "The request did not arrive in time. Please try again.",
	},
	RateLimited: {
		name: "rate_limited", status: fasthttp.StatusTooManyRequests, class: ClassInvalid,
		retryAfter: 1, retryable: true, heading: headingBusy,
		vi: "Có quá nhiều yêu cầu được gửi trong thời gian ngắn. Vui lòng chờ một lát rồi thử lại.",
		en: "Too many requests were sent in a short time. Please wait a moment and try again.",
	},
	ClientGone: {
		// Nobody reads it. Other proxies log the same number.
		name: "client_gone", status: 499, class: ClassInvalid, closes: true,
		heading: headingRequest,
		vi:      "Kết nối đã bị đóng trước khi có kết quả. Vui lòng kiểm tra trạng thái hồ sơ trước khi gửi lại.",
		en:      "The connection was closed before there was an answer. Please check the state of your application before you send it again.",
	},

	KeysUnavailable:          unverifiable("keys_unavailable", "Hệ thống tạm thời không xác minh được phiên đăng nhập. Vui lòng thử lại sau ít phút.", "Logins cannot be verified at the moment. Please try again in a few minutes."),
	KeysStale:                unverifiable("keys_stale", "Hệ thống tạm thời không xác minh được phiên đăng nhập do khóa xác minh đã quá cũ. Vui lòng thử lại sau ít phút.", "Logins cannot be verified at the moment: the keys of their issuer are out of date. Please try again in a few minutes."),
	IntrospectionUnavailable: unverifiable("introspection_unavailable", "Hệ thống tạm thời không liên hệ được với nơi cấp phiên đăng nhập để xác minh. Vui lòng thử lại sau ít phút.", "Logins cannot be verified at the moment: their issuer cannot be reached. Please try again in a few minutes."),
	RevocationsStale:         unverifiable("revocations_stale", "Hệ thống tạm thời không kiểm tra được việc thu hồi phiên đăng nhập. Vui lòng thử lại sau ít phút.", "Logins cannot be verified at the moment: what is known of revocations is out of date. Please try again in a few minutes."),
	TokenStatusUnavailable:   unverifiable("token_status_unavailable", "Hệ thống tạm thời không kiểm tra được trạng thái của phiên đăng nhập. Vui lòng thử lại sau ít phút.", "Logins cannot be verified at the moment: the status list of their issuer is not available. Please try again in a few minutes."),
	Overloaded: {
		name: "overloaded", status: fasthttp.StatusServiceUnavailable, class: ClassUnavailable,
		retryAfter: 60, retryable: true, heading: headingBusy,
		vi: "Hệ thống đang có nhiều người truy cập. Vui lòng thử lại sau ít phút.",
		en: "Many people are using the system. Please try again in a few minutes.",
	},
	UpstreamSaturated: {
		name: "upstream_saturated", status: fasthttp.StatusServiceUnavailable, class: ClassUnavailable,
		retryAfter: 15, retryable: true, heading: headingBusy,
		vi: "Hệ thống đang có nhiều người truy cập. Vui lòng thử lại sau ít phút.",
		en: "The service behind this address is busy. Please try again in a few minutes.",
	},
	UpstreamUnavailable: {
		name: "upstream_unavailable", status: fasthttp.StatusServiceUnavailable, class: ClassUnavailable,
		retryAfter: 15, retryable: true, heading: headingUnavailable,
		vi: "Hệ thống xử lý tạm thời gián đoạn. Vui lòng thử lại sau ít phút.",
		en: "The service behind this address is out of order at the moment. Please try again in a few minutes.",
	},

	UpstreamUnreachable: upstream("upstream_unreachable", fasthttp.StatusBadGateway, true, "Không kết nối được đến hệ thống xử lý. Vui lòng thử lại sau ít phút.", "The service behind this address cannot be reached. Please try again in a few minutes."),
	// The upstream may have acted on the request: it must not simply be sent again.
	UpstreamResponseMalformed: upstream("upstream_response_malformed", fasthttp.StatusBadGateway, false, "Hệ thống xử lý trả lời không hợp lệ. Vui lòng kiểm tra lại hồ sơ trước khi gửi lại.", "The service behind this address sent an invalid answer. Please check your application before sending it again."),
	UpstreamClosed:            upstream("upstream_closed", fasthttp.StatusBadGateway, false, "Hệ thống xử lý đã ngắt kết nối trước khi trả lời. Vui lòng kiểm tra lại hồ sơ trước khi gửi lại.", "The service behind this address closed the connection before it answered. Please check your application before sending it again."),
	UpstreamTimeout:           upstream("upstream_timeout", fasthttp.StatusGatewayTimeout, false, "Hệ thống xử lý không trả lời kịp thời. Vui lòng kiểm tra lại hồ sơ trước khi gửi lại.", "The service behind this address did not answer in time. Please check your application before sending it again."),
}

func credential(name string, status int, bearer, vi, en string) entry {
	return entry{
		name: name, status: status, class: ClassUnauthenticated, bearer: bearer, login: true,
		inPerson: bearer == "", heading: headingLogin, vi: vi, en: en,
	}
}

func token401(name, vi, en string) entry {
	return entry{
		name: name, status: fasthttp.StatusUnauthorized, class: ClassUnauthenticated, bearer: invalidToken,
		login: true, heading: headingSession, vi: vi, en: en,
	}
}

// account is a 403 that another account would not get. RFC 6750 section 3
// wants a challenge there as well.
func account(name, vi, en string) entry {
	return entry{
		name: name, status: fasthttp.StatusForbidden, class: ClassForbidden, bearer: insufficientScope,
		login: true, inPerson: true, heading: headingAccount, vi: vi, en: en,
	}
}

// request is a fault of the request's form: its connection is closed, since
// its end may not be known.
func request(name string, status int, vi, en string) entry {
	return entry{name: name, status: status, class: ClassInvalid, closes: true, heading: headingRequest, vi: vi, en: en}
}

// unverifiable is a 503: the token may be good, but who could tell is away. No
// login would help, so filing in person is named.
func unverifiable(name, vi, en string) entry {
	return entry{
		name: name, status: fasthttp.StatusServiceUnavailable, class: ClassUnavailable,
		retryAfter: 30, retryable: true, login: true, inPerson: true, heading: headingUnavailable, vi: vi, en: en,
	}
}

func upstream(name string, status int, retryable bool, vi, en string) entry {
	return entry{name: name, status: status, class: ClassUpstream, retryable: retryable, heading: headingUnavailable, vi: vi, en: en}
}
