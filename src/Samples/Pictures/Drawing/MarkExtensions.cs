using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>The outlines of marks.</summary>
internal static class MarkExtensions
{
    /// <summary>A mark for a number: neighbouring numbers have different ones.</summary>
    public static Mark Of(int number) => (Mark)(number % 4);

    /// <summary>The corners of a mark that has some; none for a disc.</summary>
    public static SKPoint[] Corners(this Mark mark, float x, float y, float radius) => mark switch
    {
        Mark.Square => Corners(new(x - 0.85f * radius, y - 0.85f * radius, x + 0.85f * radius, y + 0.85f * radius)),
        Mark.Triangle => [new(x, y - 1.1f * radius), new(x + 1.1f * radius, y + 0.9f * radius), new(x - 1.1f * radius, y + 0.9f * radius)],
        Mark.Diamond => [new(x, y - 1.2f * radius), new(x + 1.2f * radius, y), new(x, y + 1.2f * radius), new(x - 1.2f * radius, y)],
        _ => [],
    };

    /// <summary>The corners of a box.</summary>
    public static SKPoint[] Corners(SKRect box) =>
        [new(box.Left, box.Top), new(box.Right, box.Top), new(box.Right, box.Bottom), new(box.Left, box.Bottom)];
}
