using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>Elements of a page. Texts become nodes, so that nothing in a name is ever markup.</summary>
internal static class Html
{
    public static readonly XNamespace Ns = "http://www.w3.org/1999/xhtml";

    /// <summary>An element with attributes, texts and other elements.</summary>
    public static XElement Tag(string name, params object?[] content) => new(Ns + name, content);

    public static XAttribute Class(string names) => new("class", names);

    /// <summary>A picture within the page.</summary>
    public static XElement Picture(byte[] png, string alt) =>
        Tag("img", new XAttribute("alt", alt), new XAttribute("src", "data:image/png;base64," + Convert.ToBase64String(png)));
}
