using MaskBias.MLNet.Images;
using MaskBias.MLNet.Native;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks;

public static partial class MaskPictures
{
    /// <summary>
    /// Draws how one patch is related to every patch of an image: R⁺ or R⁻ from dark blue for 0 to yellow for 1, or, for both, R⁺ − R⁻ from
    /// blue for −1 over white to red for 1. The patch has a frame.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="masks">Its masks, of the image's size.</param>
    /// <param name="rows">Rows of patches.</param>
    /// <param name="columns">Columns of patches.</param>
    /// <param name="patch">The patch, counted row by row from 0.</param>
    /// <param name="relation">Which relation to draw.</param>
    /// <param name="kind">How it is measured.</param>
    /// <param name="options">Which masks count; null for the defaults.</param>
    /// <param name="scale">Pixels of the picture per pixel of the image, 1 to 64.</param>
    /// <returns>A PNG file.</returns>
    /// <exception cref="ArgumentException">The masks are of another size, there is no such patch, or the picture is too large.</exception>
    public static byte[] RelationPng(
        RgbImage image, MaskSet masks, int rows, int columns, int patch, MaskRelation relation = MaskRelation.Positive,
        RelationKind kind = RelationKind.Soft, MaskTokenOptions? options = null, int scale = 4)
    {
        ArgumentNullException.ThrowIfNull(masks);
        using var picture = Enlarge(image, scale);
        CheckSize(image, masks);
        float[] tokens = new MaskTokenizer(options).Compute(masks, new(0, 0, image.Width, image.Height), rows, columns, out int kept);
        if (patch < 0 || patch >= rows * columns)
            throw new ArgumentException($"There is no patch {patch}; {rows}x{columns} patches are numbered from 0 to {rows * columns - 1}.", nameof(patch));

        float[] values = Row(tokens, kept, rows * columns, patch, relation, kind);
        Tint(picture, [.. values.Select(v => relation == MaskRelation.Both ? Diverging(v) : Heat(v))], rows, columns);
        Frame(picture, patch, rows, columns);
        return Encode(picture);
    }

    private static float[] Row(float[] tokens, int kept, int patches, int patch, MaskRelation relation, RelationKind kind)
    {
        TorchRuntime.EnsureLoaded();
        using var scope = NewDisposeScope();
        var relations = PatchRelations.From(tensor(tokens).view(1, kept, patches), relation, kind, prefixTokens: 0);
        var shown = (relations.Positive, relations.Negative) switch
        {
            (not null, not null) => relations.Positive - relations.Negative,
            (not null, null) => relations.Positive,
            _ => relations.Negative!,
        };
        return [.. shown[0, patch].data<float>()];
    }

    private static void Frame(SkiaSharp.SKBitmap picture, int patch, int rows, int columns)
    {
        var pixels = picture.GetPixelSpan<Rgba>();
        int row = patch / columns, column = patch % columns;
        // The first pixels that Tint counts to the patch, and to the next.
        int left = First(column, picture.Width, columns), right = First(column + 1, picture.Width, columns);
        int top = First(row, picture.Height, rows), bottom = First(row + 1, picture.Height, rows);
        int thick = Math.Clamp(Math.Min(right - left, bottom - top) / 8, 1, 6);
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
            {
                int depth = Math.Min(Math.Min(x - left, right - 1 - x), Math.Min(y - top, bottom - 1 - y));
                if (depth < thick) pixels[y * picture.Width + x] = depth < (thick + 1) / 2 ? new(0, 0, 0) : new(255, 255, 255);
            }
        }

        static int First(int index, int length, int parts) => (int)(((long)index * length + parts - 1) / parts);
    }
}
