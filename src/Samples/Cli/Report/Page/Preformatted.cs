using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A text whose lines stay as they are.</summary>
internal sealed record Preformatted(string Text) : IPart
{
    public XElement ToHtml() => Html.Tag("pre", Text);
}
