using ScottPlot;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>The typeface of plots: one of the system's or, on a bare system that has none, the built-in <see cref="PixelFont"/>.</summary>
internal static class PlotFont
{
    private static readonly string[] Preferred = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Segoe UI", "Arial", "Helvetica"];
    private static readonly Lazy<string> Chosen = new(Choose);

    /// <summary>The family's name, ready for ScottPlot.</summary>
    public static string Name => Chosen.Value;

    private static string Choose()
    {
        var families = SKFontManager.Default.FontFamilies.Where(f => f.Length > 0).ToList();
        if (families.Count > 0) return Preferred.FirstOrDefault(families.Contains) ?? families[0];
        Fonts.FontResolvers.Add(new BuiltIn());                // without it text would be left out silently
        return PixelFont.Family;
    }

    private sealed class BuiltIn : IFontResolver
    {
        private readonly SKTypeface typeface = SKTypeface.FromData(SKData.CreateCopy(PixelFont.ToTrueType()));

        public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
            fontName == PixelFont.Family ? typeface : null;

        public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == PixelFont.Family ? typeface : null;
    }
}
