using System.Globalization;
using System.Xml.Linq;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures.Drawing;
using MaskBias.MLNet.Samples.Pictures.Plots;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Samples.Report;

/// <summary>Plots, drawn as pictures and as SVG by the same code.</summary>
public sealed class PlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void A_plot_is_the_same_as_picture_and_as_svg()
    {
        var plot = new CurvePlot { Title = "rates", Steps = [1, 2, 3], Values = [1e-5, 9e-5, 5e-5], LastStep = 3, Epochs = 3, HasDots = true };
        var svg = plot.ToSvg("rates over three steps");
        Assert.Equal("0 0 720 360", svg.Attribute("viewBox")!.Value);
        Assert.Equal("rates over three steps", svg.Attribute("aria-label")!.Value);
        Assert.Contains("4e-5", svg.Elements(Svg + "text").Select(t => t.Value));
        var dots = svg.Elements(Svg + "circle").Select(c => (X: (float)c.Attribute("cx")!, Y: (float)c.Attribute("cy")!)).ToList();
        Assert.Equal(3, dots.Count);
        Assert.True(dots[1].Y < dots[2].Y && dots[2].Y < dots[0].Y);
        using var picture = SKBitmap.Decode(plot.ToPng());
        Assert.Equal((1440, 720), (picture.Width, picture.Height));
        Assert.All(dots, dot => Assert.Equal(Ink.Series(0).Color, picture.GetPixel((int)(2 * dot.X), (int)(2 * dot.Y))));
    }

    [Theory]
    [InlineData(0.05, 0.05)]
    [InlineData(0, 0)]
    [InlineData(-2.5, -2.5)]
    [InlineData(1e-12, 3e-12)]
    [InlineData(1e9, 1.0000001e9)]
    public void What_hardly_changes_has_a_few_marks_too(double from, double to)
    {
        var svg = new CurvePlot { Title = "t", Steps = [1, 2], Values = [from, to], LastStep = 2, Epochs = 1 }.ToSvg("n");
        Assert.InRange(svg.Elements(Svg + "text").Count(), 5, 20);
        Assert.DoesNotContain("NaN", svg.ToString());
    }

    [Fact]
    public void Points_of_many_classes_have_their_marks_and_names()
    {
        string[] classes = [.. Enumerable.Range(0, 40).Select(i => $"class <{i}>")];
        var points = Enumerable.Range(0, 80).Select(i => ((double)i, i * 0.5, i % 40, $"<{i}>"));
        var plot = new ScatterPlot { Title = "map", Classes = classes, Points = [.. points] };
        var svg = plot.ToSvg("map");
        Assert.Equal(80, svg.Descendants(Svg + "title").Count());
        Assert.Contains("10 more", svg.Elements(Svg + "text").Select(t => t.Value));
        Assert.DoesNotContain(svg.Descendants(), e => e.Name.Namespace != Svg);
        using var picture = SKBitmap.Decode(plot.ToPng());
        Assert.Equal(2 * plot.Size.Width, picture.Width);
    }

    [Fact]
    public void Bars_are_as_long_as_their_values_and_have_their_intervals()
    {
        var plot = new BarsPlot
        {
            Title = "t", Series = ["a", "b"], Groups = [("first", [(0, 20, 15, 25), (1, 10, 5, 12)]), ("second", [(1, -5, -8, 1)])],
        };
        var lines = plot.ToSvg("bars").Elements(Svg + "path")
            .Select(p => (Width: (string)p.Attribute("stroke-width")!, Ends: ((string)p.Attribute("d")!)[1..].Split('L', ' '))).ToList();
        double[] bars = [.. lines.Where(l => l.Width == "11").Select(l => Length(l.Ends))];
        Assert.Equal(3, bars.Length);
        Assert.Equal(2, bars[0] / bars[1], 0.05);
        Assert.Equal(-0.5, bars[2] / bars[1], 0.05);                       // below the line
        double[] whiskers = [.. lines.Where(l => l.Width == "1.5" && l.Ends[0] == l.Ends[2]).Select(l => Length(l.Ends))];
        Assert.Equal([0.5, 0.35, 0.45], whiskers.Select(w => Math.Abs(w / bars[0])), (a, b) => Math.Abs(a - b) < 0.02);
        Assert.Contains("second", plot.ToSvg("bars").Elements(Svg + "text").Select(t => t.Value));

        // The first end is at 0, or at the interval's lower end.
        static double Length(string[] ends) =>
            double.Parse(ends[1], CultureInfo.InvariantCulture) - double.Parse(ends[3], CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Differences_lie_where_their_values_are_and_are_coloured_where_0_is_left_out()
    {
        var plot = new IntervalsPlot
        {
            Title = "t", Measures = ["k-NN", "linear"],
            Rows = [("a − b", [(2, 1, 3), (-1, -3, 1)]), ("a, masks − b", [(4, 3, 5), null])],
        };
        var svg = plot.ToSvg("intervals");
        string[] texts = [.. svg.Elements(Svg + "text").Select(t => t.Value)];
        Assert.All(new[] { "a − b", "a, masks − b", "k-NN", "linear" }, name => Assert.Single(texts, t => t == name));
        var lines = svg.Elements(Svg + "path").Where(p => (string)p.Attribute("stroke-width")! == "2")
            .Select(p => (Ends: ((string)p.Attribute("d")!)[1..].Split('L', ' ').Select(e => double.Parse(e, CultureInfo.InvariantCulture)).ToArray(),
                Color: (string?)p.Attribute("class") ?? (string)p.Attribute("stroke")!)).ToList();
        Assert.Equal(3, lines.Count);                                       // box after box
        Assert.Equal(1, (lines[0].Ends[2] - lines[0].Ends[0]) / (lines[1].Ends[0] - lines[0].Ends[0]), 0.02);
        Assert.True(lines[0].Ends[1] < lines[1].Ends[1], "The first pair is above.");
        Assert.True(lines[0].Color == lines[1].Color && lines[2].Color != lines[0].Color);
    }

    [Fact]
    public void A_confusion_matrix_is_darker_where_more_of_a_class_are()
    {
        var plot = new MatrixPlot { Title = "t", Names = ["a", "b"], Counts = [[9, 1], [0, 0]] };
        string[] fills = [.. plot.ToSvg("n").Elements(Svg + "rect").Select(r => r.Attribute("fill")!.Value)];
        Assert.Equal(4, fills.Length);
        Assert.True(Blackness(fills[0]) > Blackness(fills[1]) && Blackness(fills[1]) > Blackness(fills[2]) && fills[2] == fills[3]);

        static int Blackness(string color) => -Convert.ToInt32(color[1..3], 16);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("tab\tand\u0000nul", "tab\tand\uFFFDnul")]
    [InlineData("right\u202Eleft 日本 \U0001F600", "right\uFFFDleft 日本 \U0001F600")]
    public void Texts_have_nothing_that_xml_forbids_or_that_turns_them(string text, string expected) =>
        Assert.Equal(expected, SafeText.Clean(text));

    [Fact]
    public void Halves_of_signs_and_what_is_no_sign_are_replaced() => Assert.Equal("\uFFFDx\uFFFD", SafeText.Clean("\uD800x\uFFFE"));

    [Theory]
    [InlineData("curve-DINO-k-NN accuracy", "curve-dino-k-nn-accuracy")]
    [InlineData("../../etc/passwd", "etc-passwd")]
    [InlineData("日本", "figure")]
    public void Figures_have_harmless_file_names(string name, string expected) => Assert.Equal(expected, SafeText.Slug(name));
}
