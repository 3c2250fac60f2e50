package report

import (
	stdbytes "bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A plot is as wide as a phone, so that its letters stay readable there; a wider
// screen shows two in a row.
const (
	plotWidth   = 360 * vg.Length(1)
	plotHeight  = 230 * vg.Length(1)
	letters     = 13 * vg.Length(1)
	mostTicks   = 5
	lineWidth   = 1.8 * vg.Length(1)
	barHeight   = 16 * vg.Length(1)
	barDistance = 30 * vg.Length(1)
)

// Colours of a plot on paper. The page's style has others for a dark screen, and finds
// these by their value; see page.css. The series' are those of Okabe and Ito, which
// people who confuse red and green can tell apart.
var (
	ink    = color.NRGBA{0x22, 0x22, 0x22, 0xff} //nolint:gochecknoglobals // a constant, if Go had them
	faint  = color.NRGBA{0xd8, 0xd8, 0xd8, 0xff} //nolint:gochecknoglobals // a constant, if Go had them
	colour = [...]color.NRGBA{                   //nolint:gochecknoglobals // a constant, if Go had them
		{0x00, 0x72, 0xb2, 0xff},
		{0xd5, 0x5e, 0x00, 0xff},
		{0x00, 0x9e, 0x73, 0xff},
		{0xcc, 0x79, 0xa7, 0xff},
		{0xa6, 0x76, 0x00, 0xff},
		{0x35, 0x9a, 0xd0, 0xff},
	}
)

// curve is a line of a plot.
type curve struct {
	Name string
	X, Y []float64
	// Low and High, where they are, are the ends of a bar through each point.
	Low, High []float64
	Colour    int
	Dashed    bool
	// Dots stand at the points; Loose ones have no line between them.
	Dots, Loose bool
	// Stairs holds each value until the next one.
	Stairs bool
}

func (c *curve) key() key {
	return key{Name: c.Name, Class: fmt.Sprintf("c%d", c.Colour%len(colour)), Dashed: c.Dashed, Dot: c.Loose}
}

// chart is a plot of curves.
type chart struct {
	Title, Alt string
	X, Y       axis
	Curves     []curve
}

// draw makes a figure of it; false where there is nothing to see.
func (c *chart) draw(values *table) (figure, bool) {
	p := newPlot()
	p.X.Label.Text = c.X.Name
	xLow, xHigh, yLow, yHigh := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	f := figure{Title: c.Title, Alt: c.Alt, Values: values}
	for i := range c.Curves {
		points, bars := c.points(&c.Curves[i])
		if len(points) == 0 {
			continue
		}
		f.Legend = append(f.Legend, c.Curves[i].key())
		for n, at := range points {
			xLow, xHigh = min(xLow, at.X), max(xHigh, at.X)
			yLow, yHigh = min(yLow, at.Y), max(yHigh, at.Y)
			if bars != nil {
				yLow, yHigh = min(yLow, at.Y-bars[n].Low), max(yHigh, at.Y+bars[n].High)
			}
		}
		if err := addCurve(p, &c.Curves[i], points, bars); err != nil {
			return figure{}, false
		}
	}
	if len(f.Legend) == 0 {
		return figure{}, false
	}
	xTicks, xFrom, xTo := c.X.ticks(xLow, xHigh, mostTicks+1)
	yTicks, yFrom, yTo := c.Y.ticks(yLow, yHigh, mostTicks)
	p.X.Min, p.X.Max, p.X.Tick.Marker = xFrom, xTo, plot.ConstantTicks(xTicks)
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker = yFrom, yTo, plot.ConstantTicks(yTicks)
	var err error
	f.SVG, err = render(p, plotHeight, c.Title, c.Alt)
	return f, err == nil
}

// points are where a curve's values stand; those that stand nowhere are left out.
func (c *chart) points(v *curve) (at plotter.XYs, bars plotter.YErrors) {
	for i := range v.X {
		x, ok := c.X.place(v.X[i])
		y, also := c.Y.place(v.Y[i])
		if !ok || !also {
			continue
		}
		at = append(at, plotter.XY{X: x, Y: y})
		if v.Low == nil {
			continue
		}
		low, okLow := c.Y.place(v.Low[i])
		high, okHigh := c.Y.place(v.High[i])
		if !okLow || !okHigh {
			low, high = y, y
		}
		bars = append(bars, struct{ Low, High float64 }{max(y-low, 0), max(high-y, 0)})
	}
	return at, bars
}

func addCurve(p *plot.Plot, v *curve, points plotter.XYs, bars plotter.YErrors) error {
	shade := colour[v.Colour%len(colour)]
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: shade, Width: lineWidth}
	if v.Dashed {
		line.Dashes = []vg.Length{5, 3}
	}
	if v.Stairs {
		line.StepStyle = plotter.PostStep
	}
	if !v.Loose {
		p.Add(line)
	}
	if bars != nil {
		errorBars, err := plotter.NewYErrorBars(struct {
			plotter.XYs
			plotter.YErrors
		}{points, bars})
		if err != nil {
			return err
		}
		errorBars.LineStyle = draw.LineStyle{Color: shade, Width: 1}
		p.Add(errorBars)
	}
	if v.Dots || v.Loose || len(points) == 1 {
		dots, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		dots.GlyphStyle = draw.GlyphStyle{Color: shade, Radius: 2.6, Shape: draw.CircleGlyph{}}
		p.Add(dots)
	}
	return nil
}

// letterFont is what a plot's letters are measured with.
func letterFont() font.Font {
	return font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, letters)
}

// newPlot is a plot with this report's letters, on no background.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	face := letterFont()
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Width = ink, 0.8
		a.Padding = 0
		a.Label.TextStyle.Color, a.Label.TextStyle.Font = ink, face
		a.Label.Padding = 3
		a.Tick.Label.Color, a.Tick.Label.Font = ink, face
		a.Tick.Color, a.Tick.Width, a.Tick.Length = ink, 0.8, 4
	}
	p.X.Tick.Length = 6 // so that its first letters do not touch those of the other axis
	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: faint, Width: 0.7}
	grid.Horizontal = grid.Vertical
	p.Add(grid)
	return p
}

// render draws a plot as an element of a page.
func render(p *plot.Plot, height vg.Length, title, alt string) (template.HTML, error) {
	canvas := vgsvg.New(plotWidth, height)
	// A hair of room on each side, for lines that run along the border.
	p.Draw(draw.Crop(draw.New(canvas), 2, -8, 2, -6))
	var document stdbytes.Buffer
	if _, err := canvas.WriteTo(&document); err != nil {
		return "", err
	}
	return inline(document.Bytes(), title, alt)
}
