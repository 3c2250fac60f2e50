package report

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bars is a plot of bars that lie one under the other, each with its name and value.
type bars struct {
	Title, Alt string
	Axis       axis
	Names      []string
	// Groups are what is told of every name.
	Groups []barGroup
	// Value writes what stands at the end of a bar.
	Value func(v float64) string
}

type barGroup struct {
	Name   string
	Values []float64
	Colour int
}

// longestName is how much of a name stands beside a bar.
const longestName = 22

// draw makes a figure of it; false where there is nothing to see.
func (b *bars) draw(values *table) (figure, bool) {
	if len(b.Names) == 0 || len(b.Groups) == 0 {
		return figure{}, false
	}
	p := newPlot()
	f := figure{Title: b.Title, Alt: b.Alt, Values: values}
	p.X.Label.Text = b.Axis.Name
	highest := 0.0
	n := len(b.Names)
	ticks := make([]plot.Tick, n)
	for i, name := range b.Names {
		ticks[i] = plot.Tick{Value: float64(n - 1 - i), Label: shorten(printable(name), longestName)}
	}
	for g := range b.Groups {
		group := &b.Groups[g]
		if len(group.Values) != n {
			return figure{}, false
		}
		at := make(plotter.XYs, n)
		turned := make(plotter.Values, n)
		offset := barHeight * (vg.Length(len(b.Groups)-1)/2 - vg.Length(g))
		for i, v := range group.Values {
			turned[n-1-i] = v
			at[i] = plotter.XY{X: v, Y: float64(n - 1 - i)}
			highest = max(highest, v)
		}
		chart, err := plotter.NewBarChart(turned, barHeight*0.9)
		if err != nil {
			return figure{}, false
		}
		chart.Horizontal, chart.Color, chart.Offset = true, colour[group.Colour%len(colour)], offset
		chart.LineStyle.Width = 0
		p.Add(chart)
		labels, err := b.labels(group.Values, at, offset)
		if err != nil {
			return figure{}, false
		}
		p.Add(labels)
		if len(b.Groups) > 1 {
			f.Legend = append(f.Legend, key{Name: group.Name, Class: fmt.Sprintf("c%d", group.Colour%len(colour))})
		}
	}
	xTicks, _, to := b.Axis.ticks(0, highest, mostTicks-1)
	p.X.Min, p.X.Max, p.X.Tick.Marker = 0, max(to, highest*1.25), plot.ConstantTicks(xTicks)
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker = -0.5, float64(n)-0.5, plot.ConstantTicks(ticks)
	p.Y.Tick.Length = 0
	height := 50 + vg.Length(n)*(barDistance+barHeight*vg.Length(len(b.Groups)-1))
	var err error
	f.SVG, err = render(p, height, b.Title, b.Alt)
	return f, err == nil
}

// labels stand at the ends of the bars.
func (b *bars) labels(values []float64, at plotter.XYs, offset vg.Length) (*plotter.Labels, error) {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = b.Value(v)
	}
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: names})
	if err != nil {
		return nil, err
	}
	labels.Offset = vg.Point{X: 4, Y: offset}
	for i := range labels.TextStyle {
		labels.TextStyle[i] = text.Style{
			Color: ink, Font: letterFont(),
			YAlign: draw.YCenter, Handler: plot.DefaultTextHandler,
		}
	}
	return labels, nil
}

// shorten cuts a text that is longer than so many letters.
func shorten(s string, most int) string {
	if letters := []rune(s); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return s
}
