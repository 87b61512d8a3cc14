using System.Xml.Linq;
using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>Plots alone on a picture.</summary>
internal static class PlotExtensions
{
    private const int PngScale = 2;                     // sharp on paper too

    /// <summary>The plot as an SVG element.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="name">What it shows, for those who do not see it.</param>
    public static XElement ToSvg(this IPlot plot, string name) =>
        SvgDrawing.Element(plot.Size.Width, plot.Size.Height, name, drawing => plot.Draw(drawing, Whole(plot)));

    /// <summary>The plot as a PNG, twice as large.</summary>
    public static byte[] ToPng(this IPlot plot) =>
        SkiaDrawing.Png(plot.Size.Width, plot.Size.Height, drawing => plot.Draw(drawing, Whole(plot)), PngScale);

    private static SKRect Whole(IPlot plot) => SKRect.Create(plot.Size.Width, plot.Size.Height);
}
