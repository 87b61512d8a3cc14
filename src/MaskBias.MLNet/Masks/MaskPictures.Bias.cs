using System.Globalization;
using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Masks;

public static partial class MaskPictures
{
    private const int CellWidth = 88, CellHeight = 34, Margin = 24, LayerLabels = 56, HeaderHeight = 62, LegendHeight = 56, Letter = 2;

    private static readonly Rgba Ink = new(30, 30, 30), Absent = new(225, 225, 225);

    // Anchors of a diverging colour map (ColorBrewer's RdBu): negative blue, 0 nearly white, positive red.
    private static readonly SKColor[] DivergingColors =
    [
        new(0xFF2166AC), new(0xFF4393C3), new(0xFF92C5DE), new(0xFFD1E5F0), new(0xFFF7F7F7),
        new(0xFFFDDBC7), new(0xFFF4A582), new(0xFFD6604D), new(0xFFB2182B),
    ];

    /// <summary>
    /// Draws the learned weights α and β of the mask-guided bias: a table each with a row per layer and a column per head, the numbers on
    /// colours from blue (negative) over white (0) to red (positive). Both tables share one scale.
    /// </summary>
    /// <param name="weights">
    /// α and β of each layer, one value per head or one for all heads; null where a layer has none. A vision transformer's BiasValues().
    /// </param>
    /// <returns>A PNG file.</returns>
    /// <exception cref="ArgumentException">No layer has a weight, a weight is not finite, or the table is too large.</exception>
    public static byte[] BiasPng(IReadOnlyList<(float[]? Alpha, float[]? Beta)> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (string Name, float[]?[] Layers)[] tables = [.. new (string, float[]?[])[]
        {
            ("\u03B1", [.. weights.Select(w => w.Alpha)]),
            ("\u03B2", [.. weights.Select(w => w.Beta)]),
        }.Where(t => t.Item2.Any(layer => layer is { Length: > 0 }))];
        if (tables.Length == 0) throw new ArgumentException("No layer has a weight of the bias: the encoder takes no masks.", nameof(weights));
        float largest = tables.SelectMany(t => t.Layers).Max(layer => layer is { Length: > 0 } ? layer.Max(Magnitude) : 0);

        int[] widths = [.. tables.Select(t => LayerLabels + CellWidth * Math.Max(2, t.Layers.Max(layer => layer?.Length ?? 0)))];
        int width = widths.Sum() + Margin * (tables.Length + 1), height = HeaderHeight + CellHeight * weights.Count + LegendHeight + Margin;
        if (width > MaxPictureSide || height > MaxPictureSide)
            throw new ArgumentException($"A table of {weights.Count} layers and {tables.Max(t => t.Layers.Max(l => l?.Length))} heads is too large for a picture.",
                nameof(weights));
        using var picture = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var canvas = new Canvas(picture);
        canvas.Fill(0, 0, width, height, new(255, 255, 255));
        for (int t = 0, left = Margin; t < tables.Length; left += widths[t++] + Margin) DrawTable(canvas, left, tables[t].Name, tables[t].Layers, largest);
        DrawLegend(canvas, Margin + LayerLabels, HeaderHeight + CellHeight * weights.Count + Margin, largest);
        return Encode(picture);
    }

    private static float Magnitude(float value) =>
        float.IsFinite(value) ? Math.Abs(value) : throw new ArgumentException($"A weight of the bias is {value}; a picture needs finite values.");

    private static void DrawTable(Canvas canvas, int left, string name, float[]?[] layers, float largest)
    {
        int heads = layers.Max(layer => layer?.Length ?? 0), cells = left + LayerLabels;
        canvas.Text(name, left + LayerLabels / 2, 22, Ink, 2 * Letter);
        canvas.Text(heads == 1 ? "ALL HEADS" : "HEAD", cells + Math.Max(2, heads) * CellWidth / 2, 18, Ink, Letter);
        for (int h = 0; heads > 1 && h < heads; h++) canvas.Text(Number(h), cells + h * CellWidth + CellWidth / 2, HeaderHeight - 16, Ink, Letter);
        for (int l = 0; l < layers.Length; l++)
        {
            int top = HeaderHeight + l * CellHeight;
            canvas.Text(Number(l), left + LayerLabels / 2, top + CellHeight / 2, Ink, Letter);
            int cellWidth = heads == 1 ? 2 * CellWidth : CellWidth;
            for (int h = 0; h < heads; h++)
            {
                float? value = layers[l] is { } layer && h < layer.Length ? layer[h] : null;
                var color = value is { } known ? Diverging(largest > 0 ? known / largest : 0) : Absent;
                canvas.Fill(cells + h * cellWidth, top, cellWidth - 1, CellHeight - 1, color);
                if (value is { } number) canvas.Text(Signed(number), cells + h * cellWidth + cellWidth / 2, top + CellHeight / 2, color.IsDark ? new(255, 255, 255) : Ink, Letter);
            }
        }
        canvas.Text("LAYER", left + LayerLabels / 2, HeaderHeight - 16, Ink, Letter - 1);
    }

    private static void DrawLegend(Canvas canvas, int left, int top, float largest)
    {
        const int Steps = 2 * CellWidth;
        for (int i = 0; i < Steps; i++) canvas.Fill(left + i, top, 1, 14, Diverging(2f * i / (Steps - 1) - 1));
        foreach (int place in new[] { -1, 0, 1 }) canvas.Text(place == 0 ? "0" : Signed(place * largest), left + (place + 1) * Steps / 2, top + 28, Ink, Letter - 1);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // Two decimals say enough of a weight of usual size; smaller ones need their exponent's worth.
    private static string Signed(float value) =>
        (Math.Abs(value) is >= 100 ? value.ToString("0", CultureInfo.InvariantCulture)
            : Math.Abs(value) is > 0 and < 0.095f ? value.ToString("0.000", CultureInfo.InvariantCulture)
            : value.ToString("0.00", CultureInfo.InvariantCulture)).Replace('-', '\u2212');

    // From -1 to 1.
    private static Rgba Diverging(float value) => At(DivergingColors, (value + 1) / 2.0);

    private readonly struct Canvas(SKBitmap picture)
    {
        public void Fill(int left, int top, int width, int height, Rgba color) =>
            MaskPictures.Fill(picture.GetPixelSpan<Rgba>(), picture.Width, left, top, width, height, color);

        // Letters around a middle; no typeface is needed.
        public void Text(string text, int x, int y, Rgba color, int pixel)
        {
            int left = x - (text.Length * (PixelGlyphs.Width + 1) - 1) * pixel / 2, top = y - PixelGlyphs.Height * pixel / 2;
            foreach (char letter in text)
            {
                byte[] rows = PixelGlyphs.Rows[letter];
                for (int bit = 0; bit < PixelGlyphs.Width * PixelGlyphs.Height; bit++)
                {
                    var (row, column) = Math.DivRem(bit, PixelGlyphs.Width);
                    if ((rows[row] >> (PixelGlyphs.Width - 1 - column) & 1) != 0) Fill(left + column * pixel, top + row * pixel, pixel, pixel, color);
                }
                left += (PixelGlyphs.Width + 1) * pixel;
            }
        }
    }
}
