package plan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"strings"
	"testing"
)

// evaluate computes a formula as it is printed, in Go's syntax for expressions.
func evaluate(formula string, values map[string]float64) (float64, error) {
	e, err := parser.ParseExpr(formula)
	if err != nil {
		return 0, err
	}
	return evaluateExpr(e, values)
}

func evaluateExpr(e ast.Expr, values map[string]float64) (float64, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return evaluateExpr(e.X, values)
	case *ast.BasicLit:
		return strconv.ParseFloat(e.Value, 64)
	case *ast.Ident:
		if v, known := values[e.Name]; known {
			return v, nil
		}
		return 0, fmt.Errorf("%s stands for nothing before", e.Name)
	case *ast.UnaryExpr:
		v, err := evaluateExpr(e.X, values)
		return -v, err
	case *ast.BinaryExpr:
		a, err := evaluateExpr(e.X, values)
		if err != nil {
			return 0, err
		}
		b, err := evaluateExpr(e.Y, values)
		switch e.Op {
		case token.ADD:
			return a + b, err
		case token.SUB:
			return a - b, err
		case token.MUL:
			return a * b, err
		case token.QUO:
			return a / b, err
		}
	case *ast.CallExpr:
		var v []float64
		for _, a := range e.Args {
			x, err := evaluateExpr(a, values)
			if err != nil {
				return 0, err
			}
			v = append(v, x)
		}
		switch name := e.Fun.(*ast.Ident).Name; name {
		case "ceil":
			return math.Ceil(v[0]), nil
		case "exp":
			return math.Exp(v[0]), nil
		case "sqrt":
			return math.Sqrt(v[0]), nil
		case "pow":
			return math.Pow(v[0], v[1]), nil
		case "max":
			return math.Max(v[0], v[1]), nil
		case "min":
			return math.Min(v[0], v[1]), nil
		case "che":
			return zipf(v[1], v[2]).hitRatio(math.Min(v[0], v[1])), nil
		case "wait99":
			q := Queue{Servers: int(v[0]), ServiceSeconds: v[1] / 1e6, Variability: v[2]}
			return q.WaitQuantile(v[3], 0.99) * 1e6, nil
		default:
			return 0, fmt.Errorf("no function %s", name)
		}
	}
	return 0, fmt.Errorf("%T", e)
}

// inputs are some that between them take every branch of the formulas.
func inputs() map[string]Input {
	list := map[string]Input{}
	add := func(name string, change func(p *Population, d *Deployment)) {
		in := DefaultInput()
		change(&in.Population, &in.Deployment)
		list[name] = in
	}
	add("default", func(*Population, *Deployment) {})
	add("sticky", func(_ *Population, d *Deployment) { d.Routing = Sticky })
	add("citizens", func(p *Population, d *Deployment) {
		p.ConnectionsPerUser, p.FrontEnds, p.TLS, d.Routing = 6, 0, true, ByConnection
	})
	add("bounded", func(p *Population, d *Deployment) {
		d.VerdictBytes, p.TokenLifetimeSeconds = 256<<20, 240
	})
	add("one zone", func(p *Population, d *Deployment) {
		d.Zones, p.Algorithms = 1, map[string]float64{"ES256": 0.25, "RS256": 0.75}
	})
	return list
}

func TestEveryStatedFormulaGivesTheStatedValue(t *testing.T) {
	t.Parallel()
	for name, in := range inputs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Make(in, DefaultCost())
			if err != nil {
				t.Fatal(err)
			}
			for _, tier := range r.Tiers {
				values, computed := map[string]float64{}, 0
				for _, s := range tier.Steps {
					if _, twice := values[s.Symbol]; twice && values[s.Symbol] != s.Value {
						t.Errorf("%s: %s stands for two things", tier.Name, s.Symbol)
					}
					if s.Formula != "" {
						computed++
						got, err := evaluate(s.Formula, values)
						if err != nil {
							t.Fatalf("%s: %s = %s: %v", tier.Name, s.Symbol, s.Formula, err)
						}
						near(t, tier.Name+": "+s.Symbol+" = "+s.Formula, got, s.Value, 1e-9)
						// As printed: without the commas between thousands, and to the digits that are.
						printed := printedFormula(s.Values)
						if got, err = evaluate(printed, nil); err != nil {
							t.Errorf("%s: %s: %v", s.Symbol, s.Values, err)
						}
						if !strings.Contains(s.Formula, "-") { // differences lose digits
							near(t, tier.Name+": "+s.Symbol+" = "+s.Values, got, s.Value, 2e-3)
						}
					}
					values[s.Symbol] = s.Value
				}
				if computed < 40 {
					t.Errorf("%s has %d formulas", tier.Name, computed)
				}
			}
		})
	}
}

// printedFormula takes out commas between digits; those between arguments have a space behind.
func printedFormula(s string) string {
	s = strings.ReplaceAll(s, ", ", ";")
	s = strings.ReplaceAll(s, ",", "")
	return strings.ReplaceAll(s, ";", ", ")
}

func TestWhatATierSaysIsWhatItsFormulasGive(t *testing.T) {
	t.Parallel()
	r, err := Make(DefaultInput(), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range r.Tiers {
		values := map[string]float64{}
		for _, s := range tier.Steps {
			values[s.Symbol] = s.Value
		}
		for symbol, said := range map[string]float64{
			"λ_L": tier.LoginsPerSecond, "Λ": tier.VerificationsPerSecond, "λ": tier.PlannedPerSecond,
			"r": float64(tier.Replicas), "N_all": float64(tier.Cores), "U": tier.AllInService.UtilisationShare,
			"U_0": tier.SparesAway.UtilisationShare, "U_z": tier.ZoneLost.UtilisationShare, "p_z": tier.ZoneLost.ColdShare,
			"M": tier.PerReplica.MemoryBytes, "M_g": tier.PerReplica.GoMemoryLimitBytes, "C_r": tier.PerReplica.Connections,
			"f_r": tier.PerReplica.FileDescriptors, "G": tier.Fleet.NetworkMegabits, "X": tier.MostPerSecond,
		} {
			near(t, tier.Name+": "+symbol, said, values[symbol], 1e-12)
		}
	}
}
