using MaskBias.MLNet.Samples.Quickstart.Pictures;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Samples;

public sealed class PictureTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void A_loss_curve_has_a_panel_per_phase_and_leaves_out_what_is_not_finite()
    {
        string path = Path.Combine(folder.Path, "new", "loss.png");
        LossCurve.Write(path, [("One", [5, 4, double.NaN, 3], 2), ("Empty", [double.NaN], 1), ("Two", [2], 1)]);
        using var picture = SKBitmap.Decode(path);
        Assert.Equal((1440, 420), (picture.Width, picture.Height));
        foreach (int panel in new[] { 0, 1 })
        {
            Assert.Contains(Panel(picture, panel), IsLine);
            Assert.Contains(Panel(picture, panel), p => p == SKColors.Black);
        }
        Assert.Equal(["loss.png"], Directory.GetFiles(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
        Assert.Throws<ArgumentException>(() => LossCurve.Write(path, [("Empty", [double.NaN], 1)]));
    }

    [Fact]
    public void A_falling_loss_falls_in_the_picture()
    {
        string path = Path.Combine(folder.Path, "loss.png");
        LossCurve.Write(path, [("One", [5, 4, 3, 2, 1], 5)]);
        using var picture = SKBitmap.Decode(path);
        Assert.True(LineHeight(picture, 250) < LineHeight(picture, 600), "the line is higher at the start");
    }

    private static int LineHeight(SKBitmap picture, int x) =>
        Enumerable.Range(0, picture.Height).First(y => IsLine(picture.GetPixel(x, y)));

    private static bool IsLine(SKColor color) => color.Blue > color.Red + 60;

    private static IEnumerable<SKColor> Panel(SKBitmap picture, int panel) =>
        from y in Enumerable.Range(0, picture.Height) from x in Enumerable.Range(720 * panel, 720) select picture.GetPixel(x, y);

    public void Dispose() => folder.Dispose();
}
