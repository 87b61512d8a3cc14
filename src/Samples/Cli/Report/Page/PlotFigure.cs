using System.Xml.Linq;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A plot with the table behind it.</summary>
/// <param name="Name">Its file's name.</param>
/// <param name="Plot">The plot.</param>
/// <param name="Alt">What it shows, for those who do not see it.</param>
/// <param name="Data">The numbers.</param>
internal sealed record PlotFigure(string Name, IPlot Plot, string Alt, DataTable Data) : IFigure
{
    /// <summary>Whether it takes the page's whole width.</summary>
    public bool IsLarge { get; init; }

    public XElement ToHtml() => Html.Tag("figure", Html.Class(IsLarge ? "plot large" : "plot"), Plot.ToSvg(Alt), Data.ToDetails());

    public byte[] ToPng() => Plot.ToPng();
}
