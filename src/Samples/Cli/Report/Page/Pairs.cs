using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>Names and their values, in as many columns as there is room for.</summary>
internal sealed record Pairs(IEnumerable<KeyValuePair<string, string>> Values) : IPart
{
    private const int MostLetters = 300;

    public XElement ToHtml() => Html.Tag("dl", Html.Class("pairs"), Values.Select(pair =>
        Html.Tag("div", Html.Tag("dt", SafeText.Short(pair.Key, MostLetters)), Html.Tag("dd", SafeText.Short(pair.Value, MostLetters)))));
}
