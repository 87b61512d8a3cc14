using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;

namespace MaskBias.MLNet.Tests.Masks.Files;

public sealed class PngMasksTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(0, 2, false)]
    [InlineData(0, 4, true)]
    [InlineData(0, 8, false)]
    [InlineData(0, 16, false)]
    [InlineData(0, 16, true)]
    [InlineData(3, 1, true)]
    [InlineData(3, 2, false)]
    [InlineData(3, 4, false)]
    [InlineData(3, 8, false)]
    [InlineData(3, 8, true)]
    [InlineData(4, 8, false)]
    [InlineData(4, 16, true)]
    public void Label_maps_of_every_kind_hold_their_numbers(int colorType, int bits, bool interlaced)
    {
        const int Width = 37, Height = 21;
        int largest = (1 << bits) - 1;
        int Label(int x, int y) => x / 5 * 7919 + y / 4 * 104_729 & largest;
        byte[] png = PngBytes.Write(Width, Height, colorType, bits, (x, y, channel) => channel == 1 ? x & largest : Label(x, y), interlaced);
        int[] labels = [.. Enumerable.Range(0, Width * Height).Select(i => Label(i % Width, i / Width))];

        Assert.Equal(MaskSet.FromLabelMap(Height, Width, labels), LabelMapFile.Read(folder.Write("labels.png", png)));
        int[] background = [labels[0], largest];
        int[] expected = [.. labels.Select(l => background.Contains(l) ? 0 : l + 1)];
        Assert.Equal(MaskSet.FromLabelMap(Height, Width, expected), LabelMapFile.Parse(png, "labels", background));
    }

    [Fact]
    public void Grey_that_is_stored_as_colours_counts_and_colours_are_refused()
    {
        byte[] grey = PngBytes.Write(9, 7, 6, 8, (x, y, channel) => channel == 3 ? 255 : x / 3 * 40);
        Assert.Equal([21L, 21], Areas(LabelMapFile.Parse(grey, "grey", [0])));
        byte[] colors = PngBytes.Write(9, 7, 2, 8, (x, y, channel) => x * channel);
        Assert.Contains("x.png holds colours, not numbers: the pixel at 1, 0 is 0, 1, 2",
            Assert.Throws<InvalidDataException>(() => LabelMapFile.Parse(colors, "x.png", [0])).Message);
    }

    [Fact]
    public void A_folder_of_binary_pictures_is_read_by_number()
    {
        for (int k = 0; k < 12; k++) folder.Write($"image/{k}.png", PngBytes.Write(20, 10, k % 3 == 0 ? 2 : 0, k % 2 == 0 ? 8 : 16, (x, y, c) => x < k ? 255 : 0));
        folder.Write("image/metadata.csv", [1]);
        Assert.Equal(Enumerable.Range(0, 12).Select(k => 10L * k), Areas(BinaryMaskFolder.Read(Path.Combine(folder.Path, "image"))!));

        folder.Write("image/99.png", PngBytes.Write(10, 20, 0, 8, (x, y, c) => 1));
        Assert.Contains("99.png' is 10x20; the masks before it are 20x10",
            Assert.Throws<InvalidDataException>(() => BinaryMaskFolder.Read(Path.Combine(folder.Path, "image"))).Message);
        Assert.Null(BinaryMaskFolder.Read(Directory.CreateDirectory(Path.Combine(folder.Path, "empty")).FullName));
    }

    [Fact]
    public void Damaged_pictures_are_refused()
    {
        byte[] good = PngBytes.Write(40, 30, 0, 8, (x, y, c) => x * y % 50);
        for (int length = 0; length < good.Length; length++)
            Assert.Throws<InvalidDataException>(() => LabelMapFile.Parse(good.AsMemory(0, length), "cut.png", [0]));
        Assert.Contains("truncated", Refusal(good[..^12]));
        Assert.Contains("checksum", Refusal([.. good[..60], (byte)(good[60] + 1), .. good[61..]]));
        Assert.Contains("pixels end early", Refusal(PngBytes.File(PngBytes.Header(40, 30, 0, 8, 0), PngBytes.Deflate(new byte[41 * 29]), false)));
        Assert.Contains("cannot be decompressed", Refusal(PngBytes.File(PngBytes.Header(40, 30, 0, 8, 0), [1, 2, 3, 4, 5, 6, 7, 8], false)));
        Assert.Contains("no filter 9", Refusal(PngBytes.File(PngBytes.Header(4, 1, 0, 8, 0), PngBytes.Deflate([9, 0, 0, 0, 0]), false)));
        Assert.Contains("no colour type 3 of 16 bits", Refusal(PngBytes.File(PngBytes.Header(4, 1, 3, 16, 0), PngBytes.Deflate(new byte[9]), true)));
        Assert.Contains("not a PNG", Refusal("<svg>"u8.ToArray()));
    }

    [Theory]
    [InlineData(32768, 32768, 0)]
    [InlineData(2_000_000_000, 1, 0)]
    [InlineData(-1, 5, 0)]
    [InlineData(0, 5, 0)]
    [InlineData(60000, 4000, 0)]
    [InlineData(60000, 4000, 1)]
    public void A_headers_size_alone_allocates_nothing(int width, int height, int interlace)
    {
        byte[] png = PngBytes.File(PngBytes.Header(width, height, 6, 16, interlace), PngBytes.Deflate(new byte[100]), false);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refusal(png);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    public void Dispose() => folder.Dispose();

    private static string Refusal(byte[] png) => Assert.Throws<InvalidDataException>(() => LabelMapFile.Parse(png, "bad.png", [0])).Message;

    private static IEnumerable<long> Areas(MaskSet masks) => Enumerable.Range(0, masks.Count).Select(masks.Area);
}
