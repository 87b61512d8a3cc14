using System.Buffers.Binary;
using System.Text;

namespace MaskBias.MLNet.Samples.Quickstart.Pictures;

/// <summary>
/// A TrueType font made from <see cref="PixelGlyphs"/>: SkiaSharp brings no typeface, and a bare Linux has none installed either.
/// </summary>
/// <remarks>Tables as in the OpenType specification, the smallest set that FreeType reads. Numbers are big-endian.</remarks>
internal static class PixelFont
{
    public const string Family = "MaskBias Pixel";

    private const short Pixel = 100, Advance = (PixelGlyphs.Width + 1) * Pixel, Ascent = 800, Descent = -200, UnitsPerEm = 1000;
    private const int Version = 0x00010000;
    private const short Overlap = 4;                            // neighbouring rows overlap, so that no seam shows between them

    /// <summary>The font file's bytes.</summary>
    public static byte[] ToTrueType()
    {
        char[] letters = [.. PixelGlyphs.Rows.Keys.Order()];
        var (outlines, offsets, maxContours) = Outlines(letters);
        int glyphs = letters.Length + 1;
        return Assemble(
            ("cmap", CharacterMap(letters)),
            ("glyf", outlines),
            ("head", Bytes([Version, Version, 0, 0x5F0F3CF5, S(0), S(UnitsPerEm), 0, 0, 0, 0,                 // magic number; no dates
                S(0), S(Descent), S(Advance), S(Ascent), S(0), S(8), S(2), S(1), S(0)])),                    // box; long offsets
            ("hhea", Bytes([Version, S(Ascent), S(Descent), S(0), S(Advance), S(0), S(0), S(Advance), S(1), .. Zeros(7), S(glyphs)])),
            ("hmtx", Bytes([.. Enumerable.Range(0, 2 * glyphs).Select(i => S(i % 2 == 0 ? Advance : 0))])),
            ("loca", Bytes([.. offsets.Cast<object>()])),
            ("maxp", Bytes([Version, S(glyphs), S(4 * maxContours), S(maxContours), S(0), S(0), S(2), .. Zeros(8)])),
            ("name", Names()));
    }

    // A rectangle per run of pixels in a row; glyph 0, for letters that the font lacks, is empty.
    private static (byte[] Outlines, int[] Offsets, int MaxContours) Outlines(char[] letters)
    {
        var (all, offsets, maxContours) = (new List<byte>(), new List<int> { 0, 0 }, 1);
        foreach (char letter in letters)
        {
            var boxes = Runs(PixelGlyphs.Rows[letter]).ToList();
            maxContours = Math.Max(maxContours, boxes.Count);
            if (boxes.Count > 0) all.AddRange(Outline(boxes));
            while (all.Count % 4 != 0) all.Add(0);
            offsets.Add(all.Count);
        }
        return ([.. all], [.. offsets], maxContours);
    }

    private static IEnumerable<(int Left, int Bottom, int Right, int Top)> Runs(byte[] rows)
    {
        for (int row = 0; row < PixelGlyphs.Height; row++)
        {
            int top = (PixelGlyphs.Height - row) * Pixel;
            for (int x = 0; x < PixelGlyphs.Width; x++)
            {
                int start = x;
                while (x < PixelGlyphs.Width && (rows[row] >> (PixelGlyphs.Width - 1 - x) & 1) != 0) x++;
                if (x > start) yield return (start * Pixel - Overlap, top - Pixel - Overlap, x * Pixel + Overlap, top + Overlap);
            }
        }
    }

    private static byte[] Outline(List<(int Left, int Bottom, int Right, int Top)> boxes)
    {
        var corners = boxes
            .SelectMany(b => new[] { (X: b.Left, Y: b.Bottom), (X: b.Left, Y: b.Top), (X: b.Right, Y: b.Top), (X: b.Right, Y: b.Bottom) })
            .ToList();
        var values = new List<object>
        {
            S(boxes.Count), S(corners.Min(c => c.X)), S(corners.Min(c => c.Y)), S(corners.Max(c => c.X)), S(corners.Max(c => c.Y)),
        };
        values.AddRange(Enumerable.Range(0, boxes.Count).Select(i => S(4 * i + 3)));          // last point of each contour
        values.Add(S(0));                                                                     // no instructions
        values.AddRange(Enumerable.Repeat<object>((byte)1, corners.Count));                   // on the curve, coordinates of 16 bits
        values.AddRange(corners.Select((c, i) => S(c.X - (i == 0 ? 0 : corners[i - 1].X))));
        values.AddRange(corners.Select((c, i) => S(c.Y - (i == 0 ? 0 : corners[i - 1].Y))));
        return Bytes([.. values]);
    }

    private static byte[] CharacterMap(char[] letters)
    {
        var codes = letters.Select((letter, i) => (Code: (int)letter, Glyph: i + 1))
            .SelectMany(c => new[] { c, (Code: char.ToLowerInvariant((char)c.Code), c.Glyph) })
            .Distinct().OrderBy(c => c.Code).ToList();
        return Bytes([S(0), S(1), S(3), S(10), 12,                                            // one table: Windows, all of Unicode
            S(12), S(0), 16 + 12 * codes.Count, 0, codes.Count, .. codes.SelectMany(c => new object[] { c.Code, c.Code, c.Glyph })]);
    }

    private static byte[] Names()
    {
        byte[] family = Encoding.BigEndianUnicode.GetBytes(Family);
        return [.. Bytes([S(0), S(1), S(18), S(3), S(1), S(0x409), S(1), S(family.Length), S(0)]), .. family];
    }

    private static byte[] Assemble(params (string Tag, byte[] Content)[] tables)
    {
        var directory = new List<object> { Version, S(tables.Length), S(128), S(3), S(16 * tables.Length - 128) };
        var body = new List<byte>();
        int start = 12 + 16 * tables.Length;
        foreach (var (tag, content) in tables)
        {
            int name = BinaryPrimitives.ReadInt32BigEndian(Encoding.ASCII.GetBytes(tag));
            directory.AddRange([name, CheckSum(content), start + body.Count, content.Length]);
            body.AddRange(content);
            while (body.Count % 4 != 0) body.Add(0);
        }
        return [.. Bytes([.. directory]), .. body];
    }

    private static int CheckSum(byte[] content)
    {
        uint sum = 0;
        for (int i = 0; i < content.Length; i++) sum += (uint)content[i] << (24 - i % 4 * 8);
        return (int)sum;
    }

    private static object S(int value) => (short)value;

    private static IEnumerable<object> Zeros(int count) => Enumerable.Repeat(S(0), count);

    private static byte[] Bytes(IReadOnlyList<object> values)
    {
        var result = new List<byte>();
        Span<byte> buffer = stackalloc byte[4];
        foreach (object value in values)
        {
            int length = value switch { byte => 1, short => 2, _ => 4 };
            BinaryPrimitives.WriteInt32BigEndian(buffer, value switch { byte b => b << 24, short s => s << 16, _ => (int)value });
            result.AddRange(buffer[..length]);
        }
        return [.. result];
    }
}
