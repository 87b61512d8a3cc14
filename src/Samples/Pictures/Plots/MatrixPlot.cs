using System.Globalization;
using MaskBias.MLNet.Samples.Pictures.Drawing;
using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Plots;

/// <summary>A confusion matrix: a row per actual class, a column per predicted one, the darker the larger the share of its row.</summary>
internal sealed record MatrixPlot : IPlot
{
    private const float LetterWidth = 8, Top = 40;
    private const int ReadableCell = 26;

    private static readonly SKColor Least = new(0xF2, 0xF6, 0xFA), Most = new(0x0B, 0x4F, 0x8F);

    public required string Title { get; init; }

    /// <summary>Names of the classes, in the order of rows and columns.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>[actual][predicted] counts.</summary>
    public required IReadOnlyList<int[]> Counts { get; init; }

    public SKSizeI Size => new(
        (int)(1.7f * LabelWidth + Names.Count * Cell), (int)(Top + 0.75f * LabelWidth + Names.Count * Cell + 16));

    private int Cell => Math.Clamp(560 / Math.Max(1, Names.Count), 18, 52);

    private float LabelWidth => 24 + LetterWidth * Names.Max(name => name.Length);

    public void Draw(IDrawing drawing, SKRect panel)
    {
        float left = panel.Left + LabelWidth, top = panel.Top + Top + 0.75f * LabelWidth;
        drawing.Text(Title, panel.Left + 8, panel.Top + 20);
        for (int row = 0; row < Names.Count; row++)
        {
            drawing.Text(Names[row], left - 8, top + (row + 0.5f) * Cell + 5, SKTextAlign.Right);
            drawing.Text(Names[row], left + (row + 0.6f) * Cell, top - 8, degrees: -45);
            int sum = Math.Max(1, Counts[row].Sum());
            for (int column = 0; column < Names.Count; column++)
            {
                double share = (double)Counts[row][column] / sum;
                drawing.Fill(SKRect.Create(left + column * Cell, top + row * Cell, Cell - 1, Cell - 1), new(Mix(share)));
                if (Cell < ReadableCell || Counts[row][column] == 0) continue;
                drawing.Text(Counts[row][column].ToString(CultureInfo.InvariantCulture), left + (column + 0.5f) * Cell,
                    top + (row + 0.5f) * Cell + 5, SKTextAlign.Center, new(share > 0.45 ? SKColors.White : SKColors.Black));
            }
        }
    }

    private static SKColor Mix(double share)
    {
        return new(Part(Least.Red, Most.Red), Part(Least.Green, Most.Green), Part(Least.Blue, Most.Blue));

        byte Part(byte from, byte to) => (byte)Math.Round(from + (to - from) * share);
    }
}
