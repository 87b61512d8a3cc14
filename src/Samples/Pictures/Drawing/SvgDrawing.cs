using System.Globalization;
using System.Xml.Linq;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>Draws an SVG element. Texts become nodes of the document, so that nothing in them is markup.</summary>
internal sealed class SvgDrawing : IDrawing
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private readonly XElement root;

    private SvgDrawing(int width, int height, string name)
    {
        root = new(Svg + "svg", new XAttribute("viewBox", $"0 0 {width} {height}"), new XAttribute("role", "img"),
            new XAttribute("aria-label", name), new XAttribute("font-size", "14"));
    }

    /// <summary>Draws an element.</summary>
    /// <param name="width">Its width, to which others are relative: it is scaled to the room it gets.</param>
    /// <param name="height">Its height.</param>
    /// <param name="name">What it shows, for those who do not see it.</param>
    /// <param name="draw">Draws.</param>
    public static XElement Element(int width, int height, string name, Action<IDrawing> draw)
    {
        var drawing = new SvgDrawing(width, height, name);
        draw(drawing);
        return drawing.root;
    }

    public void Line(ReadOnlySpan<SKPoint> points, Ink ink, float thickness)
    {
        root.Add(Colored(new XElement(Svg + "path", new XAttribute("d", Path(points)), new XAttribute("fill", "none"),
            new XAttribute("stroke-width", Text(thickness)), new XAttribute("stroke-linejoin", "round")), "stroke", ink));
    }

    public void Dot(float x, float y, float radius, Ink ink, Mark mark = Mark.Disc, string? title = null)
    {
        var dot = mark == Mark.Disc
            ? new XElement(Svg + "circle", new XAttribute("cx", Text(x)), new XAttribute("cy", Text(y)), new XAttribute("r", Text(radius)))
            : new XElement(Svg + "path", new XAttribute("d", Path(mark.Corners(x, y, radius)) + "Z"));
        if (title is not null) dot.Add(new XElement(Svg + "title", title));
        root.Add(Colored(dot, "fill", ink));
    }

    public void Fill(SKRect box, Ink ink) =>
        root.Add(Colored(new XElement(Svg + "rect", new XAttribute("x", Text(box.Left)), new XAttribute("y", Text(box.Top)),
            new XAttribute("width", Text(box.Width)), new XAttribute("height", Text(box.Height))), "fill", ink));

    public void Text(string text, float x, float baseline, SKTextAlign align = SKTextAlign.Left, Ink? ink = null, float degrees = 0)
    {
        var element = new XElement(Svg + "text", new XAttribute("x", Text(x)), new XAttribute("y", Text(baseline)), text);
        Colored(element, "fill", ink ?? Ink.Text);
        if (align != SKTextAlign.Left) element.Add(new XAttribute("text-anchor", align == SKTextAlign.Center ? "middle" : "end"));
        if (degrees != 0) element.Add(new XAttribute("transform", $"rotate({Text(degrees)} {Text(x)} {Text(baseline)})"));
        root.Add(element);
    }

    private static string Path(ReadOnlySpan<SKPoint> points)
    {
        var path = new System.Text.StringBuilder();
        foreach (var point in points) path.Append(path.Length == 0 ? 'M' : 'L').Append(Text(point.X)).Append(' ').Append(Text(point.Y));
        return path.ToString();
    }

    private static XElement Colored(XElement element, string what, Ink ink)
    {
        if (ink.Name is { } name) element.Add(new XAttribute("class", name), new XAttribute(what, "currentColor"));
        else element.Add(new XAttribute(what, $"#{(uint)ink.Color & 0xFFFFFF:x6}"));
        return element;
    }

    private static string Text(float value) => Math.Round(value, 1).ToString(CultureInfo.InvariantCulture);
}
