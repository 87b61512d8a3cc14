using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>
/// Writes the texts of drawings, with a typeface of the system or, on a bare system that has none, in <see cref="PixelGlyphs"/>: SkiaSharp
/// brings no typeface of its own, and would leave the text out silently.
/// </summary>
internal sealed class TextPainter(SKCanvas canvas) : IDisposable
{
    private const float Size = 14, GlyphPixel = 1.5f;

    private static readonly string[] Preferred = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Segoe UI", "Arial", "Helvetica"];

    private readonly SKPaint paint = new() { IsAntialias = true, TextSize = Size, Typeface = Find() };

    /// <summary>Writes a line.</summary>
    /// <param name="text">The text.</param>
    /// <param name="x">Where it begins, has its middle, or ends.</param>
    /// <param name="baseline">Its base line.</param>
    /// <param name="align">What of it lies at <paramref name="x"/>.</param>
    /// <param name="color">Its colour.</param>
    public void Draw(string text, float x, float baseline, SKTextAlign align, SKColor color)
    {
        (paint.TextAlign, paint.Color) = (align, color);
        if (paint.Typeface is not null) canvas.DrawText(text, x, baseline, paint);
        else DrawGlyphs(text, x, baseline, align);
    }

    public void Dispose()
    {
        paint.Typeface?.Dispose();
        paint.Dispose();
    }

    private static SKTypeface? Find()
    {
        string[] families = [.. SKFontManager.Default.FontFamilies.Where(f => f.Length > 0)];
        return families.Length == 0 ? null : SKTypeface.FromFamilyName(Preferred.FirstOrDefault(families.Contains) ?? families[0]);
    }

    private void DrawGlyphs(string text, float x, float baseline, SKTextAlign align)
    {
        const float Advance = (PixelGlyphs.Width + 1) * GlyphPixel;
        x -= text.Length * Advance * (align switch { SKTextAlign.Left => 0, SKTextAlign.Center => 0.5f, _ => 1 });
        for (int i = 0; i < text.Length; i++)
        {
            var rows = PixelGlyphs.Rows.GetValueOrDefault(char.ToUpperInvariant(text[i]), PixelGlyphs.Rows[' ']);
            for (int bit = 0; bit < PixelGlyphs.Width * PixelGlyphs.Height; bit++)
            {
                var (row, column) = Math.DivRem(bit, PixelGlyphs.Width);
                if ((rows[row] >> (PixelGlyphs.Width - 1 - column) & 1) == 0) continue;
                float left = x + i * Advance + column * GlyphPixel, top = baseline - (PixelGlyphs.Height - row) * GlyphPixel;
                canvas.DrawRect(left, top, GlyphPixel, GlyphPixel, paint);
            }
        }
    }
}
