using System.Xml.Linq;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>Pictures in rows and columns.</summary>
/// <param name="Name">Its file's name.</param>
/// <param name="Caption">What the grid shows.</param>
/// <param name="Columns">What each column shows.</param>
/// <param name="Rows">What each row shows, and its pictures; as many as there are columns.</param>
internal sealed record PictureGrid(
    string Name, string Caption, IReadOnlyList<string> Columns, IReadOnlyList<(string Name, IReadOnlyList<PictureCell> Cells)> Rows)
    : IFigure
{
    private const int MostLetters = 40;

    public XElement ToHtml() => Html.Tag("div", Html.Class("wide"), Html.Tag("table", Html.Class("pictures"),
        Html.Tag("caption", Caption),
        Html.Tag("thead", Html.Tag("tr", Html.Tag("td"), Columns.Select(column => Head("col", column)))),
        Html.Tag("tbody", Rows.Select(row => Html.Tag("tr", Head("row", row.Name), row.Cells.Select(Cell))))));

    public byte[] ToPng()
    {
        using var sheet = new TileSheet(Rows.Count, Columns.Count);
        for (int row = 0; row < Rows.Count; row++)
        {
            for (int column = 0; column < Rows[row].Cells.Count; column++) sheet.Draw(row, column, Rows[row].Cells[column].Png);
        }
        return sheet.ToPng();
    }

    private static XElement Head(string scope, string name) =>
        Html.Tag("th", new XAttribute("scope", scope), SafeText.Short(name, MostLetters));

    private static XElement Cell(PictureCell cell) => Html.Tag("td",
        cell.IsRight is { } isRight ? Html.Class(isRight ? "right" : "wrong") : null,
        Html.Picture(cell.Png, cell.Alt),
        cell.Caption is null ? null : Html.Tag("span", SafeText.Short(cell.Caption, MostLetters)));
}
