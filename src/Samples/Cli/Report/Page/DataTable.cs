using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A table. The first column names the rows.</summary>
internal sealed record DataTable(string Caption, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows) : IPart
{
    private const int MostLetters = 120;

    public XElement ToHtml() => Html.Tag("div", Html.Class("wide"), Html.Tag("table",
        Html.Tag("caption", Caption),
        Html.Tag("thead", Html.Tag("tr", Columns.Select(name => Html.Tag("th", new XAttribute("scope", "col"), Text(name))))),
        Html.Tag("tbody", Rows.Select(row => Html.Tag("tr",
            Html.Tag("th", new XAttribute("scope", "row"), Text(row[0])), row.Skip(1).Select(cell => Html.Tag("td", Text(cell))))))));

    /// <summary>The table behind a figure, closed until it is asked for.</summary>
    public XElement ToDetails() => Html.Tag("details", Html.Tag("summary", "The numbers"), ToHtml());

    private static string Text(string text) => SafeText.Short(text, MostLetters);
}
