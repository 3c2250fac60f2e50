package reject_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	jwt "github.com/vneid-gateway/vneid-gateway/gateway/token"
)

type problem struct {
	Type                 string `json:"type"`
	Title                string `json:"title"`
	TitleEN              string `json:"title_en"`
	Status               int    `json:"status"`
	Detail               string `json:"detail"`
	DetailEN             string `json:"detail_en"`
	Code                 string `json:"code"`
	RequestID            string `json:"request_id"`
	RequiredAccountLevel int    `json:"required_account_level"`
	ACRValues            string `json:"acr_values"`
	MaxAge               int    `json:"max_age"`
	Alternative          string `json:"alternative"`
	AlternativeEN        string `json:"alternative_en"`
	Support              string `json:"support"`
	SupportEN            string `json:"support_en"`
	Hotline              string `json:"hotline"`
	LoginURL             string `json:"login_url"`
}

func problemOf(t testing.TB, ref reject.Refusal) problem {
	t.Helper()
	var p problem
	d := json.NewDecoder(bytes.NewReader(write(t, ref, "").Response.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%v: %v", ref.Code, err)
	}
	return p
}

func TestEveryCodeSpeaksBothLanguages(t *testing.T) {
	t.Parallel()
	for _, c := range reject.Codes() {
		p := problemOf(t, reject.Refusal{Code: c, RequestID: []byte(requestID), Decision: decision(c)})
		if p.Type != "urn:vneid-gateway:error:"+c.String() || p.Code != c.String() || p.Status != c.Status() || p.RequestID != requestID {
			t.Errorf("%v: %+v", c, p)
		}
		for what, s := range map[string]string{"title": p.Title, "detail": p.Detail} {
			vietnamese(t, c, what, s)
		}
		for what, s := range map[string]string{"title_en": p.TitleEN, "detail_en": p.DetailEN} {
			if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
				t.Errorf("%v: %s %q is not plain ASCII, as error_description must be", c, what, s)
			}
		}
		if got := p.Hotline != ""; got != c.LoginRelated() {
			t.Errorf("%v: hotline %v, login-related %v", c, got, c.LoginRelated())
		}
	}
}

func vietnamese(t *testing.T, c reject.Code, what, s string) {
	t.Helper()
	if !utf8.ValidString(s) || !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) {
		t.Errorf("%v: %s %q has no diacritics", c, what, s)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r >= 0x300 && r <= 0x36f }) {
		t.Errorf("%v: %s %q is not in NFC", c, what, s)
	}
}

func TestWordingIsThatOfTheNotices(t *testing.T) {
	t.Parallel()
	for c, want := range map[reject.Code]string{
		reject.VNeIDAccountRequired:          "Từ ngày 01/7/2024, công dân chỉ sử dụng tài khoản VNeID để thực hiện dịch vụ công trực tuyến. Vui lòng đăng nhập bằng tài khoản VNeID.",
		reject.AccountLevelInsufficient:      "Dịch vụ này yêu cầu tài khoản định danh điện tử mức độ 2. Vui lòng đến cơ quan Công an để đăng ký và kích hoạt.",
		reject.TokenExpired:                  "Phiên đăng nhập đã hết hạn. Vui lòng đăng nhập lại.",
		reject.TokenRevoked:                  "Phiên đăng nhập đã bị thu hồi. Vui lòng đăng nhập lại.",
		reject.CitizenAccountCreationRemoved: "Chức năng tạo lập tài khoản công dân đã được gỡ bỏ.",
		reject.Overloaded:                    "Hệ thống đang có nhiều người truy cập. Vui lòng thử lại sau ít phút.",
	} {
		p := problemOf(t, reject.Refusal{Code: c, Decision: decision(c)})
		if p.Detail != want {
			t.Errorf("%v: %q, want %q", c, p.Detail, want)
		}
		if page := string(write(t, reject.Refusal{Code: c, Decision: decision(c)}, acceptPage).Response.Body()); !strings.Contains(page, want) {
			t.Errorf("%v: the page lacks %q", c, want)
		}
		const footer = "Cần hỗ trợ về tài khoản VNeID, vui lòng gọi Tổng đài 1900 0368 (Bộ Công an)."
		if c.LoginRelated() && p.Support != footer {
			t.Errorf("%v: support %q", c, p.Support)
		}
	}
}

func TestCutoverDateIsTheVietnameseOne(t *testing.T) {
	t.Parallel()
	for from, want := range map[string][2]string{
		"2024-06-15T00:00:00+07:00": {"Từ ngày 15/6/2024, doanh nghiệp", "From 15 June 2024, enterprises"},
		"2024-06-30T17:00:00Z":      {"Từ ngày 01/7/2024, doanh nghiệp", "From 1 July 2024, enterprises"},
		"2024-06-30T16:59:59Z":      {"Từ ngày 30/6/2024, doanh nghiệp", "From 30 June 2024, enterprises"},
		"2025-02-09T00:00:00+07:00": {"Từ ngày 09/02/2025, doanh nghiệp", "From 9 February 2025, enterprises"},
		"2025-12-31T00:00:00+07:00": {"Từ ngày 31/12/2025, doanh nghiệp", "From 31 December 2025, enterprises"},
	} {
		p := problemOf(t, reject.Refusal{
			Code:     reject.VNeIDAccountRequired,
			Decision: policy.Decision{Kind: jwt.KindEnterprise, CutoverSince: unix(from)},
		})
		if !strings.HasPrefix(p.Detail, want[0]) || !strings.HasPrefix(p.DetailEN, want[1]) {
			t.Errorf("%s: %q, %q", from, p.Detail, p.DetailEN)
		}
	}
}

func TestNoticeNamesTheSwitch(t *testing.T) {
	t.Parallel()
	since, until := unix("2024-01-01T00:00:00+07:00"), unix("2024-07-01T00:00:00+07:00")
	for _, tc := range []struct {
		d                   policy.Decision
		deprecation, sunset string
	}{
		{policy.Decision{Outcome: policy.Allow, NoticeSince: since, NoticeUntil: until}, "@1704042000", "Sun, 30 Jun 2024 17:00:00 GMT"},
		{policy.Decision{Outcome: policy.Allow}, "", ""},
		{policy.Decision{Outcome: policy.Refuse, NoticeUntil: until}, "", ""},
	} {
		var h fasthttp.ResponseHeader
		reject.Notice(&h, tc.d)
		if d, s := string(h.Peek("Deprecation")), string(h.Peek("Sunset")); d != tc.deprecation || s != tc.sunset {
			t.Errorf("%+v: Deprecation %q, Sunset %q", tc.d, d, s)
		}
	}
}
