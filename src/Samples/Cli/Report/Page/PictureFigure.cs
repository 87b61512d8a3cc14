using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A picture with the table behind it.</summary>
/// <param name="Name">Its file's name.</param>
/// <param name="Png">The picture.</param>
/// <param name="Alt">What it shows, for those who do not see it.</param>
/// <param name="Caption">What is written below it.</param>
/// <param name="Data">The numbers.</param>
internal sealed record PictureFigure(string Name, byte[] Png, string Alt, string Caption, DataTable Data) : IFigure
{
    /// <summary>Whether it takes the page's whole width.</summary>
    public bool IsLarge { get; init; }

    public XElement ToHtml() => Html.Tag("figure", Html.Class(IsLarge ? "picture large" : "picture"),
        Html.Tag("div", Html.Class("wide"), Html.Picture(Png, Alt)), Html.Tag("figcaption", Caption), Data.ToDetails());

    public byte[] ToPng() => Png;
}
