using MaskBias.MLNet.Samples.Pictures;
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

    [Fact]
    public void A_file_is_written_whole_or_stays_as_it_was()
    {
        byte[] old = [1], other = [9];
        string path = folder.Write("a.bin", old), begun = folder.Write("a.bin.part", other);        // as another process writes it
        Assert.Throws<IOException>(() => WholeFile.Write(path, stream =>
        {
            stream.WriteByte(2);
            throw new IOException("disk full");
        }));
        Assert.Equal(old, File.ReadAllBytes(path));
        WholeFile.Write(path, other);
        Assert.Equal(other, File.ReadAllBytes(path));
        Assert.Equal(other, File.ReadAllBytes(begun));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    private static int LineHeight(SKBitmap picture, int x) =>
        Enumerable.Range(0, picture.Height).First(y => IsLine(picture.GetPixel(x, y)));

    private static bool IsLine(SKColor color) => color.Blue > color.Red + 60;

    private static IEnumerable<SKColor> Panel(SKBitmap picture, int panel) =>
        from y in Enumerable.Range(0, picture.Height) from x in Enumerable.Range(720 * panel, 720) select picture.GetPixel(x, y);

    public void Dispose() => folder.Dispose();
}
