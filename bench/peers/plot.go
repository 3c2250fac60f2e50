package peers

import (
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	plotWidth  = 760 * vg.Length(1)
	plotHeight = 340 * vg.Length(1)
	letters    = 12 * vg.Length(1)
	// barShare is how much of the room of a group its bars take together.
	barShare = 0.8
	// groupWidth is about the room of a group when there are as many as there can be.
	groupWidth = 96 * vg.Length(1)
	// legendRoom is how much higher the plot is than its highest bar.
	legendRoom = 1.15
)

// colours are those of Okabe and Ito, which people who confuse red and green can tell apart.
func colours() []color.NRGBA {
	return []color.NRGBA{{0x00, 0x72, 0xb2, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0xd5, 0x5e, 0x00, 0xff}}
}

// WriteSVG draws the costs: a group of bars for each load, with lines from the least to the most.
func (r *Result) WriteSVG(w io.Writer) error {
	p := r.newPlot()
	type group struct{ algorithm, load string }
	groups, names := []group{{"", Open}}, []string{"no token\nlooked at"}
	for _, algorithm := range r.Algorithms {
		groups = append(groups, group{algorithm, Warm}, group{algorithm, Cold})
		names = append(names, algorithm+"\nwarm", algorithm+"\ncold")
	}
	width := barShare / float64(max(len(r.Proxies), 1))
	for i, proxy := range r.Proxies {
		shift := (float64(i) - float64(len(r.Proxies)-1)/2) * width
		heights := make(plotter.Values, len(groups))
		var tops plotter.XYs
		var ends plotter.YErrors
		for n, g := range groups {
			f, ok := r.Figure(proxy.Name, g.algorithm, g.load)
			if !ok {
				continue
			}
			heights[n] = f.CPU.Median
			tops = append(tops, plotter.XY{X: float64(n) + shift, Y: f.CPU.Median})
			ends = append(ends, struct{ Low, High float64 }{f.CPU.Median - f.CPU.Least, f.CPU.Most - f.CPU.Median})
		}
		if len(tops) == 0 {
			continue
		}
		bars, err := plotter.NewBarChart(heights, groupWidth*vg.Length(width))
		if err != nil {
			return err
		}
		bars.XMin, bars.Color = shift, colours()[i%len(colours())]
		bars.LineStyle.Width = 0
		spreads, err := plotter.NewYErrorBars(struct {
			plotter.XYs
			plotter.YErrors
		}{tops, ends})
		if err != nil {
			return err
		}
		p.Add(bars, spreads)
		p.Legend.Add(proxy.Title, bars)
	}
	ticks := make([]plot.Tick, len(names))
	for i, name := range names {
		ticks[i] = plot.Tick{Value: float64(i), Label: name}
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Max *= legendRoom
	p.X.Min, p.X.Max = -0.5, float64(len(groups))-0.5
	canvas := vgsvg.New(plotWidth, plotHeight)
	p.Draw(draw.Crop(draw.New(canvas), 8, -12, 8, -8))
	_, err := canvas.WriteTo(w)
	return err
}

// newPlot is an empty plot with its letters and lines.
func (r *Result) newPlot() *plot.Plot {
	p := plot.New()
	face := font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, letters)
	p.Title.Text = "Processor time of the proxy: the same job, the same load"
	p.Title.TextStyle.Font = face
	p.Title.TextStyle.Font.Size = letters + 2
	p.Title.Padding = 6
	p.Y.Label.Text = "µs a request"
	p.Y.Min = 0
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Tick.Label.Font = face, face
	}
	p.X.Tick.Length, p.X.Padding, p.Y.Padding = 0, 0, 0
	p.Legend.TextStyle.Font = face
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = 4
	p.Legend.XOffs, p.Legend.YOffs = 6, -4
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: color.NRGBA{0xd8, 0xd8, 0xd8, 0xff}, Width: 0.7}
	p.Add(grid)
	return p
}
