using System.Runtime.InteropServices;
using MaskBias.MLNet.Images;
using SkiaSharp;

namespace MaskBias.MLNet.Masks;

/// <summary>Pictures for people, as PNG files: masks over their image, and maps of patches (attention, relations) over the image.</summary>
public static partial class MaskPictures
{
    private const int MaxPictureSide = 16384;
    private const double GoldenAngle = 137.50776;         // consecutive hues lie far apart
    private const float FillShare = 0.4f, HeatShare = 0.6f;

    // Anchors of the viridis colour map: equal steps of the value look equal.
    private static readonly SKColor[] HeatColors =
    [
        new(0xFF440154), new(0xFF472D7B), new(0xFF3B528B), new(0xFF2C728E), new(0xFF21918C),
        new(0xFF28AE80), new(0xFF5EC962), new(0xFFADDC30), new(0xFFFDE725),
    ];

    /// <summary>
    /// Draws masks over their image, the largest first: each pixel is tinted with the colour of the smallest mask over it, and every mask
    /// is outlined.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="masks">Its masks, of the image's size.</param>
    /// <param name="scale">Pixels of the picture per pixel of the image, 1 to 64.</param>
    /// <returns>A PNG file.</returns>
    /// <exception cref="ArgumentException">The masks are of another size, or the picture is too large.</exception>
    public static byte[] OverlayPng(RgbImage image, MaskSet masks, int scale = 4)
    {
        ArgumentNullException.ThrowIfNull(masks);
        using var picture = Enlarge(image, scale);
        CheckSize(image, masks);

        int[] order = [.. Enumerable.Range(0, masks.Count).OrderByDescending(masks.Area)];
        int[] topmost = new int[image.Height * image.Width];
        Array.Fill(topmost, -1);
        byte[] bitmap = new byte[topmost.Length];
        foreach (int k in order)
        {
            masks.CopyTo(k, bitmap);
            for (int i = 0; i < bitmap.Length; i++)
            {
                if (bitmap[i] != 0) topmost[i] = k;
            }
        }

        var pixels = picture.GetPixelSpan<Rgba>();
        for (int i = 0; i < pixels.Length; i++)
        {
            int k = topmost[i / picture.Width / scale * image.Width + i % picture.Width / scale];
            if (k >= 0) pixels[i] = pixels[i].Blend(Color(k), FillShare);
        }
        foreach (int k in order)
        {
            masks.CopyTo(k, bitmap);
            Outline(bitmap, image.Width, pixels, picture.Width, scale, Color(k));
        }
        return Encode(picture);
    }

    /// <summary>Draws a map of patches over an image, from dark blue for the smallest value to yellow for the largest.</summary>
    /// <param name="image">The image that the patches divide.</param>
    /// <param name="values">[rows, columns] finite values, for instance the class token's attention or one row of a relation.</param>
    /// <param name="rows">Rows of patches.</param>
    /// <param name="columns">Columns of patches.</param>
    /// <param name="scale">Pixels of the picture per pixel of the image, 1 to 64.</param>
    /// <returns>A PNG file.</returns>
    /// <exception cref="ArgumentException">The values are not rows · columns finite numbers, or the picture is too large.</exception>
    public static byte[] HeatMapPng(RgbImage image, ReadOnlySpan<float> values, int rows, int columns, int scale = 4)
    {
        if (rows < 1 || columns < 1 || values.Length != (long)rows * columns)
            throw new ArgumentException($"{values.Length} values do not make {rows}x{columns} patches.", nameof(values));
        var (smallest, largest) = (float.PositiveInfinity, float.NegativeInfinity);
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                throw new ArgumentException($"Value {i} is {values[i]}; a map needs finite values.", nameof(values));
            (smallest, largest) = (Math.Min(smallest, values[i]), Math.Max(largest, values[i]));
        }
        double range = largest > smallest ? (double)largest - smallest : 1;
        var colors = new Rgba[values.Length];
        for (int i = 0; i < values.Length; i++) colors[i] = Heat((values[i] - (double)smallest) / range);

        using var picture = Enlarge(image, scale);
        Tint(picture, colors, rows, columns);
        return Encode(picture);
    }

    // The image in grey under the colours of its patches.
    private static void Tint(SKBitmap picture, ReadOnlySpan<Rgba> colors, int rows, int columns)
    {
        var pixels = picture.GetPixelSpan<Rgba>();
        for (int y = 0, i = 0; y < picture.Height; y++)
        {
            int row = (int)((long)y * rows / picture.Height);
            for (int x = 0; x < picture.Width; x++, i++)
                pixels[i] = pixels[i].Grey().Blend(colors[row * columns + (int)((long)x * columns / picture.Width)], HeatShare);
        }
    }

    private static SKBitmap Enlarge(RgbImage image, int scale)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (scale is < 1 or > 64) throw new ArgumentException($"The scale is {scale}; it must lie in [1, 64].", nameof(scale));
        if (Math.Max(image.Width, image.Height) > MaxPictureSide / scale)
            throw new ArgumentException($"A picture of {image.Width}x{image.Height} at scale {scale} has a side above {MaxPictureSide} pixels.",
                nameof(scale));

        using var source = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = source.GetPixelSpan<Rgba>();
        for (int i = 0; i < pixels.Length; i++) pixels[i] = new(image.Pixels[3 * i], image.Pixels[3 * i + 1], image.Pixels[3 * i + 2]);
        var picture = new SKBitmap(source.Info.WithSize(image.Width * scale, image.Height * scale));
        source.ScalePixels(picture, SKFilterQuality.High);
        return picture;
    }

    // Lines along the sides at which the mask ends, inside it; none along the image's border.
    private static void Outline(byte[] bitmap, int width, Span<Rgba> pixels, int pictureWidth, int scale, Rgba color)
    {
        int thick = Math.Max(1, scale / 4);
        for (int i = 0; i < bitmap.Length; i++)
        {
            if (bitmap[i] == 0) continue;
            int x = i % width, left = x * scale, top = i / width * scale;
            if (x > 0 && bitmap[i - 1] == 0) Fill(pixels, pictureWidth, left, top, thick, scale, color);
            if (x + 1 < width && bitmap[i + 1] == 0) Fill(pixels, pictureWidth, left + scale - thick, top, thick, scale, color);
            if (i >= width && bitmap[i - width] == 0) Fill(pixels, pictureWidth, left, top, scale, thick, color);
            if (i + width < bitmap.Length && bitmap[i + width] == 0)
                Fill(pixels, pictureWidth, left, top + scale - thick, scale, thick, color);
        }
    }

    private static void Fill(Span<Rgba> pixels, int pictureWidth, int left, int top, int width, int height, Rgba color)
    {
        for (int y = top; y < top + height; y++) pixels.Slice(y * pictureWidth + left, width).Fill(color);
    }

    private static Rgba Color(int k)
    {
        var color = SKColor.FromHsv((float)(k * GoldenAngle % 360), k % 2 == 0 ? 90 : 65, k % 3 == 0 ? 100 : 88);
        return new(color.Red, color.Green, color.Blue);
    }

    private static void CheckSize(RgbImage image, MaskSet masks)
    {
        if (masks.Width != image.Width || masks.Height != image.Height)
            throw new ArgumentException($"The masks are of {masks.Width}x{masks.Height}; the image is of {image.Width}x{image.Height}.",
                nameof(masks));
    }

    private static Rgba Heat(double value) => At(HeatColors, value);

    // The colour at a place from 0 to 1 along the anchors.
    private static Rgba At(SKColor[] anchors, double value)
    {
        double place = Math.Clamp(value, 0, 1) * (anchors.Length - 1);
        int lower = Math.Min((int)place, anchors.Length - 2);
        var (from, to) = (anchors[lower], anchors[lower + 1]);
        return new Rgba(from.Red, from.Green, from.Blue).Blend(new(to.Red, to.Green, to.Blue), (float)(place - lower));
    }

    private static byte[] Encode(SKBitmap picture)
    {
        using var data = picture.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static Span<T> GetPixelSpan<T>(this SKBitmap bitmap) where T : struct =>
        MemoryMarshal.Cast<byte, T>(PixelBuffers.Pixels(bitmap));

    private readonly record struct Rgba(byte R, byte G, byte B, byte A = 255)
    {
        public Rgba Blend(Rgba other, float share) => new(Mix(R, other.R, share), Mix(G, other.G, share), Mix(B, other.B, share));

        public bool IsDark => Grey().R < 128;

        public Rgba Grey()
        {
            byte grey = (byte)((R * 77 + G * 151 + B * 28) >> 8);
            return new(grey, grey, grey);
        }

        private static byte Mix(byte a, byte b, float share) => (byte)MathF.Round(a + (b - a) * share);
    }
}
