using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using MaskBias.MLNet.Samples.Pictures.Drawing;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>
/// Writes sections as one page that needs no other file, no network and no script. It is well-formed as XML and as HTML alike.
/// </summary>
internal static class ReportPage
{
    private const string Policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

    private static readonly HashSet<string> VoidElements = ["br", "hr", "img", "link", "meta"];

    /// <summary>The page in UTF-8.</summary>
    public static byte[] Write(string title, IReadOnlyList<ReportSection> sections)
    {
        string[] ids = [.. sections.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"section-{i + 1}"))];
        var page = Html.Tag("html", new XAttribute("lang", "en"),
            Html.Tag("head",
                Html.Tag("meta", new XAttribute("charset", "utf-8")),
                Html.Tag("meta", new XAttribute("http-equiv", "Content-Security-Policy"), new XAttribute("content", Policy)),
                Html.Tag("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                Html.Tag("meta", new XAttribute("name", "color-scheme"), new XAttribute("content", "light dark")),
                Html.Tag("title", title),
                Html.Tag("style", ReportStyle.Css + Ink.Css)),
            Html.Tag("body",
                Html.Tag("header", Html.Tag("h1", title)),
                Html.Tag("nav", new XAttribute("aria-label", "Sections"), Html.Tag("ul", sections.Zip(ids, Link))),
                Html.Tag("main", sections.Select((section, i) => ToHtml(section, ids[i])))));
        return Serialize(Cleaned(page));
    }

    private static XElement Link(ReportSection section, string id) => Html.Tag("li",
        Html.Tag("a", section.Absent is null ? null : Html.Class("absent"), new XAttribute("href", "#" + id), section.Title));

    private static XElement ToHtml(ReportSection section, string id) => Html.Tag("section", new XAttribute("id", id),
        Html.Tag("h2", section.Title),
        section.Absent is { } why ? Html.Tag("p", Html.Class("absent"), why) : null,
        section.Parts.Select(part => part.ToHtml()));

    // The one place that every text goes through.
    private static XElement Cleaned(XElement page)
    {
        foreach (var element in page.DescendantsAndSelf())
        {
            foreach (var attribute in element.Attributes().Where(a => !a.IsNamespaceDeclaration))
                attribute.Value = SafeText.Clean(attribute.Value);
            foreach (var text in element.Nodes().OfType<XText>()) text.Value = SafeText.Clean(text.Value);
            // To HTML, <td /> is a cell that is never closed.
            if (element.IsEmpty && element.Name.Namespace == Html.Ns && !VoidElements.Contains(element.Name.LocalName)) element.Add("");
        }
        return page;
    }

    private static byte[] Serialize(XElement page)
    {
        using var stream = new MemoryStream();
        var settings = new XmlWriterSettings { OmitXmlDeclaration = true, Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) };
        using (var writer = XmlWriter.Create(stream, settings)) new XDocument(new XDocumentType("html", null, null, null), page).Save(writer);
        return stream.ToArray();
    }
}
