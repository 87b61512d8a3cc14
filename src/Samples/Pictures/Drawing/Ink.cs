using SkiaSharp;

namespace MaskBias.MLNet.Samples.Pictures.Drawing;

/// <summary>A colour of a drawing.</summary>
/// <param name="Color">The colour on white.</param>
/// <param name="Name">In SVG, the class that gives the colour, which a page may change on a dark ground; null for the colour as it is.</param>
internal readonly record struct Ink(SKColor Color, string? Name = null)
{
    private const double GoldenAngle = 137.50776;         // consecutive hues lie far apart

    // Light, dark: told apart by most people, and readable on their grounds.
    private static readonly (uint OnLight, uint OnDark)[] Palette =
    [
        (0x1F6FB4, 0x6CB2FF), (0xC85A08, 0xFFA45C), (0x23803A, 0x6FD07F), (0xB3202C, 0xFF7B80), (0x7A4FB5, 0xB79BFF),
        (0x0D7F8E, 0x5CD6E6), (0xB83C92, 0xFF9BE0), (0x7D7A00, 0xD6D65A), (0x8A5A3C, 0xD9AC8C), (0x5C6670, 0xAAB4BE),
    ];

    public static Ink Text { get; } = new(SKColors.Black, "ink-text");

    public static Ink Axis { get; } = new(SKColors.Black, "ink-axis");

    public static Ink Grid { get; } = new(new SKColor(0xE4, 0xE4, 0xE4), "ink-grid");

    /// <summary>The values behind a running mean.</summary>
    public static Ink Faint { get; } = new(new SKColor(0x9C, 0xC3, 0xE6), "ink-faint");

    /// <summary>Colours that are told apart: the first ten have a class, further ones only a hue.</summary>
    public static Ink Series(int i) => i < Palette.Length
        ? new(Opaque(Palette[i].OnLight), $"ink-{i}")
        : new(SKColor.FromHsv((float)(i * GoldenAngle % 360), i % 2 == 0 ? 80 : 55, i % 3 == 0 ? 80 : 65));

    /// <summary>The style sheet of the classes: black ink on a light ground, light ink on a dark one.</summary>
    public static string Css { get; } =
        ".ink-text,.ink-axis{color:#1a1a1a}.ink-grid{color:#e4e4e4}.ink-faint{color:#9cc3e6}"
        + string.Concat(Palette.Select((p, i) => $".ink-{i}{{color:#{p.OnLight:x6}}}"))
        + "@media screen and (prefers-color-scheme:dark){"
        + ".ink-text{color:#e8e8e8}.ink-axis{color:#b0b0b0}.ink-grid{color:#3a3f44}.ink-faint{color:#3a5f85}"
        + string.Concat(Palette.Select((p, i) => $".ink-{i}{{color:#{p.OnDark:x6}}}")) + "}";

    private static SKColor Opaque(uint rgb) => new(0xFF000000 | rgb);
}
