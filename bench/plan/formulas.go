package plan

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// functions are those of formulas that are no arithmetic.
var functions = []string{
	"che(E, T, z): share of requests whose token is among E of T in a cache that drops what was used least recently, tokens being used as rank to the power of -z; Che's approximation: Σ p_i (1 - exp(-p_i t)), with t such that Σ (1 - exp(-p_i t)) = E and p_i = i^-z / Σ j^-z.",
	"wait99(N, s, v, λ): time in µs that 99% of requests wait at most, at λ requests/s, in one line for N servers that need s µs for a request, with squared coefficient of variation v (M/G/N): (1+v)/2 * s/(N*(1-ρ)) * ln(C/0.01), or 0 where C < 0.01, with ρ = λ*s/(1000000*N) and Erlang's C = B/(1 - ρ*(1-B)), B being the loss of N servers under N*ρ.",
}

// WriteFormulas writes every formula of every tier with its values put in.
func (r *Result) WriteFormulas(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("Formulas. A symbol ending in _0 is without the spare replicas, in _z without one zone besides.\n")
	for _, f := range functions {
		wrap(&b, "  ", "    ", pretty(f))
	}
	for i := range r.Tiers {
		t := &r.Tiers[i]
		first, size := utf8.DecodeRuneInString(t.Name)
		fmt.Fprintf(&b, "\n%c%s\n", unicode.ToUpper(first), t.Name[size:])
		for _, s := range t.Steps {
			s.write(&b)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// write writes a step in as many lines as it takes.
func (s *Step) write(b *bytes.Buffer) {
	value := strings.TrimSpace(short(s.Value) + " " + s.Unit)
	wrap(b, "  "+pad(s.Symbol, -6)+" ", "         ", s.Meaning)
	parts := []string{value}
	if s.Formula != "" {
		parts = []string{pretty(s.Formula), pretty(s.Values), value}
	}
	const indent = "         "
	line := indent
	for _, p := range parts {
		if p = "= " + p; utf8.RuneCountInString(line+" "+p) <= textWidth {
			if line != indent {
				line += " "
			}
			line += p
			continue
		}
		if line != indent {
			b.WriteString(line + "\n")
			line = indent
		}
		if utf8.RuneCountInString(line+p) > textWidth {
			wrap(b, indent, indent+"  ", p)
			continue
		}
		line += p
	}
	if line != indent {
		b.WriteString(line + "\n")
	}
}

// pretty writes a formula as people do.
func pretty(formula string) string { return strings.ReplaceAll(formula, "*", "·") }
