package plan

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Step is one quantity of a plan: what it stands for, its unit, how it is computed and what it is.
type Step struct {
	Symbol  string `json:"symbol"`
	Meaning string `json:"meaning"`
	Unit    string `json:"unit"`
	// Formula computes it from the symbols of steps before it; empty for what was put in. Operators are those of
	// arithmetic; functions are ceil, max, min, exp, ln, pow and those that Formulas explains.
	Formula string `json:"formula,omitzero"`
	// Values is Formula with the values put in.
	Values string  `json:"values,omitzero"`
	Value  float64 `json:"value"`
}

// sheet is the computation of a tier as it is written down. What is computed is written with the same call, so that no
// number is in a plan whose formula is not.
type sheet struct {
	steps []Step
	value map[string]float64
}

func newSheet() *sheet { return &sheet{value: map[string]float64{}} }

// given writes down a value that was put in.
func (s *sheet) given(symbol string, value float64, unit, meaning string) float64 {
	return s.computed(symbol, value, unit, meaning, "")
}

// computed writes down a value that formula gives.
func (s *sheet) computed(symbol string, value float64, unit, meaning, formula string) float64 {
	s.value[symbol] = value
	s.steps = append(s.steps, Step{symbol, meaning, unit, formula, s.substitute(formula), value})
	return value
}

// substitute puts values in the place of symbols.
func (s *sheet) substitute(formula string) string {
	var b, word strings.Builder
	flush := func() {
		if v, known := s.value[word.String()]; known {
			b.WriteString(short(v))
		} else {
			b.WriteString(word.String())
		}
		word.Reset()
	}
	for _, r := range formula {
		if inSymbol(r) {
			word.WriteRune(r)
			continue
		}
		flush()
		b.WriteRune(r)
	}
	flush()
	return b.String()
}

// inSymbol reports whether a rune is part of a symbol or a number.
func inSymbol(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '.'
}

// short writes a number for people: whole where it is, else with five digits, and thousands apart.
func short(v float64) string {
	switch {
	case math.IsInf(v, 0) || math.IsNaN(v):
		return "without end"
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	case math.Abs(v) >= 10000:
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	default:
		return strconv.FormatFloat(v, 'g', 5, 64)
	}
}

// thousands puts a comma before every three digits of a whole number.
func thousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return sign + b.String()
}
