using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A sentence or a few.</summary>
internal sealed record Paragraph(string Text) : IPart
{
    public XElement ToHtml() => Html.Tag("p", Text);
}
