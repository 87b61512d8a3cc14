using System.Globalization;
using System.Text;
using System.Xml;

namespace MaskBias.MLNet.Experiments.Output;

/// <summary>
/// A small vector picture, element by element. SVG needs no plotting library, which is not for the core to bring, and no typeface on the
/// machine that writes it, of which servers often have none.
/// </summary>
internal sealed class SvgPicture : IDisposable
{
    private readonly StringBuilder content = new();
    private readonly XmlWriter xml;

    public SvgPicture(int width, int height, string title)
    {
        xml = XmlWriter.Create(content, new() { Indent = true, OmitXmlDeclaration = true, NewLineChars = "\n" });
        xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        Attributes(("viewBox", $"0 0 {width} {height}"), ("width", width), ("height", height));
        Attributes(("font-family", "sans-serif"), ("font-size", 13));
        xml.WriteElementString("title", Clean(title));
        Rectangle(0, 0, width, height, "#ffffff");
    }

    public void Rectangle(double x, double y, double width, double height, string fill) =>
        Element("rect", ("x", x), ("y", y), ("width", width), ("height", height), ("fill", fill));

    public void Line(double x1, double y1, double x2, double y2, string stroke, double width = 1) =>
        Element("line", ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2), ("stroke", stroke), ("stroke-width", width));

    public void Dot(double x, double y, double radius, string fill) =>
        Element("circle", ("cx", x), ("cy", y), ("r", radius), ("fill", fill));

    public void Curve(IEnumerable<(double X, double Y)> points, string stroke, double width) =>
        Element("polyline", ("points", Points(points)), ("fill", "none"), ("stroke", stroke), ("stroke-width", width));

    /// <summary>Fills what points enclose, lightly.</summary>
    public void Area(IEnumerable<(double X, double Y)> points, string fill) =>
        Element("polygon", ("points", Points(points)), ("fill", fill), ("fill-opacity", 0.15));

    /// <summary>Writes a line.</summary>
    /// <param name="text">The text.</param>
    /// <param name="x">Where it begins, has its middle, or ends.</param>
    /// <param name="y">Its base line.</param>
    /// <param name="anchor">"start", "middle" or "end".</param>
    /// <param name="fill">Its colour.</param>
    /// <param name="bold">Whether it is bold.</param>
    public void Text(string text, double x, double y, string anchor = "start", string fill = "#1e1e1e", bool bold = false)
    {
        xml.WriteStartElement("text");
        Attributes(("x", x), ("y", y), ("text-anchor", anchor), ("fill", fill), ("font-weight", bold ? "bold" : "normal"));
        xml.WriteString(Clean(text));
        xml.WriteEndElement();
    }

    /// <summary>Writes the file as a whole.</summary>
    public void Save(string path)
    {
        xml.WriteEndElement();
        xml.Flush();
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(content.ToString() + "\n")));
    }

    public void Dispose() => xml.Dispose();

    private static string Points(IEnumerable<(double X, double Y)> points) =>
        string.Join(' ', points.Select(p => $"{Number(p.X)},{Number(p.Y)}"));

    private void Element(string name, params (string Name, object Value)[] attributes)
    {
        xml.WriteStartElement(name);
        Attributes(attributes);
        xml.WriteEndElement();
    }

    private void Attributes(params (string Name, object Value)[] attributes)
    {
        foreach (var (name, value) in attributes) xml.WriteAttributeString(name, value is double number ? Number(number) : $"{value}");
    }

    private static string Number(double value) => Math.Round(value, 2).ToString(CultureInfo.InvariantCulture);

    // Names and errors come from elsewhere; XML has no place for control characters.
    private static string Clean(string text) => string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) ? c : '\uFFFD'));
}
