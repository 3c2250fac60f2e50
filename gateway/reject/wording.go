package reject

import "github.com/vneid-gateway/vneid-gateway/gateway/token"

// text is one sentence or more in both languages. Its fields are exported to
// html/template.
type text struct{ VI, EN string }

// heading is the title shared by codes of one sort.
type heading text

var (
	headingInternal    = &heading{"Lỗi hệ thống", "System error"}
	headingLogin       = &heading{"Cần đăng nhập", "Login required"}
	headingSession     = &heading{"Phiên đăng nhập không hợp lệ", "Login not valid"}
	headingStepUp      = &heading{"Cần xác thực lại", "Further authentication required"}
	headingAccount     = &heading{"Tài khoản không sử dụng được cho dịch vụ này", "Account not usable for this service"}
	headingRemoved     = &heading{"Chức năng đã được gỡ bỏ", "Function removed"}
	headingDenied      = &heading{"Không được phép truy cập", "Access denied"}
	headingRequest     = &heading{"Yêu cầu không hợp lệ", "Invalid request"}
	headingBusy        = &heading{"Hệ thống đang bận", "System busy"}
	headingUnavailable = &heading{"Dịch vụ tạm thời gián đoạn", "Service temporarily unavailable"}
)

const (
	hotlineNumber = "1900 0368"
	hotlineTel    = "19000368"
)

// Sentences that stand beside a code's own wording.
var (
	// Official letter 3701/VPCP-KSTT: citizens in trouble call the hotline.
	wordingSupport = text{
		"Cần hỗ trợ về tài khoản VNeID, vui lòng gọi Tổng đài 1900 0368 (Bộ Công an).",
		"For help with a VNeID account, please call 1900 0368 (Ministry of Public Security).",
	}
	wordingInPerson = text{
		"Tài khoản VNeID không bắt buộc: hồ sơ vẫn có thể nộp trực tiếp tại Bộ phận Một cửa.",
		"A VNeID account is not compulsory: applications can still be filed in person at a one-stop office.",
	}
)

// Wording that depends on the decision.
var (
	wordingLevel2 = text{
		"Dịch vụ này yêu cầu tài khoản định danh điện tử mức độ 2. Vui lòng đến cơ quan Công an để đăng ký và kích hoạt.",
		"This service requires an electronic identification account of level 2. Please register and activate it at a police office.",
	}
	// Decree 69/2024: level 1 is obtained in the app.
	wordingLevel1 = text{
		"Dịch vụ này yêu cầu tài khoản định danh điện tử mức độ 1 trở lên. Vui lòng đăng ký và kích hoạt trên ứng dụng VNeID.",
		"This service requires an electronic identification account of level 1 or above. Please register and activate it in the VNeID app.",
	}
	// Without a kind and a date, for listings and for a refusal without details.
	wordingCutover = text{
		"Dịch vụ công trực tuyến chỉ sử dụng tài khoản VNeID. Vui lòng đăng nhập bằng tài khoản VNeID.",
		"Online public services use VNeID accounts only. Please log in with a VNeID account.",
	}
)

// wordingCutoverFor names who moved and since when. For citizens and
// 2024-07-01 it is the sentence of the public notices.
func wordingCutoverFor(kind token.Kind) text {
	vi, en := "", ""
	switch kind {
	case token.KindCitizen:
		vi, en = "công dân", "citizens"
	case token.KindOrganisation:
		vi, en = "cơ quan, tổ chức", "organisations"
	case token.KindEnterprise:
		vi, en = "doanh nghiệp", "enterprises"
	case token.KindForeigner:
		vi, en = "người nước ngoài", "foreigners"
	case token.KindOfficer:
		vi, en = "cán bộ", "officers"
	default:
		return wordingCutover
	}
	return text{
		"Từ ngày " + paramDateVI.mark() + ", " + vi + " chỉ sử dụng tài khoản VNeID để thực hiện dịch vụ công trực tuyến. Vui lòng đăng nhập bằng tài khoản VNeID.",
		"From " + paramDateEN.mark() + ", " + en + " use VNeID accounts only for online public services. Please log in with a VNeID account.",
	}
}
