using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A few figures that say the most, large.</summary>
internal sealed record Cards(IReadOnlyList<(string Name, string Value)> Values) : IPart
{
    public XElement ToHtml() => Html.Tag("dl", Html.Class("cards"), Values.Select(card =>
        Html.Tag("div", Html.Tag("dt", card.Name), Html.Tag("dd", SafeText.Short(card.Value, 60)))));
}
