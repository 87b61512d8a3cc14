using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Tests.Images;

/// <summary>Unusual and broken files, against what a mature decoder says of each.</summary>
[Collection(nameof(LiveTensors))]               // the memory of the process is measured
public sealed class OddImagesTests
{
    private const long LargestGrowth = 1L << 30;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    // Where this decoder differs from the catalogue's, and why.
    private static readonly Dictionary<string, string> Known = new()
    {
        ["generated-cc0/rgb.tif"] = "refused",                          // TIFF is not among the formats
        ["generated-cc0/bad_crc.png"] = "refused",                      // damaged pixels are reported, not guessed at
        ["pillow/broken_data_stream.png"] = "refused",
        ["pillow/badrle.bmp"] = "refused",
        ["pillow/png_decompression_dos.png"] = "1x1",                   // the bomb is a text beside the pixels, which is not read
        ["pillow/unknown_compression_method.png"] = "57x57",            // likewise
        ["pillow/truncated_exif_dpi.jpg"] = "480x640",                  // damaged metadata, sound pixels
        ["pillow/rgba32.bmp"] = "127x64",                               // a layout that the catalogue's decoder lacks
    };

    [Fact]
    public void Every_file_decodes_as_a_mature_decoder_does_or_is_reported()
    {
        string folder = SharedData.Require("odd-images");
        var rows = File.ReadAllLines(Path.Combine(folder, "CATALOG.csv")).Skip(1).Select(line => line.Split(',', 9)).ToList();
        Assert.Equal(125, rows.Count);
        var faults = new List<string>();
        foreach (string[] row in rows)
        {
            long before = Environment.WorkingSet;
            string outcome = "";
            Pace.AssertWithin(Longest, () => outcome = Decode(Path.Combine(folder, row[0])), row[0]);
            string expected = Known.GetValueOrDefault(row[0]) ?? Expected(row);
            if (outcome != expected)
                faults.Add($"{row[0]}: {outcome}, not {expected} ({row[8]})");
            if (Environment.WorkingSet - before > LargestGrowth) faults.Add($"{row[0]}: took {Environment.WorkingSet - before >> 20} MB");
        }
        Assert.True(faults.Count == 0, string.Join("\n", faults));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Every_orientation_gives_the_same_upright_image(int orientation)
    {
        string folder = Path.Combine(SharedData.Require("odd-images"), "generated-cc0");
        string file = Path.Combine(folder, $"exif_orientation_{orientation}.jpg");
        var expected = Read(Path.Combine(folder, "base_rgb.jpg"));
        var actual = Read(file);
        Assert.Equal((expected.Height, expected.Width), (actual.Height, actual.Width));
        // JPEG compresses a turned image a little differently.
        double mean = expected.Pixels.Zip(actual.Pixels, (a, b) => Math.Abs(a - b)).Average();
        Assert.True(mean < 3, $"mean difference {mean}");
    }

    private static RgbImage Read(string path) => ImageDecoder.Decode(File.ReadAllBytes(path), path);

    private static string Decode(string path)
    {
        try
        {
            var image = Read(path);
            return $"{image.Width}x{image.Height}";
        }
        catch (ImageReadException e)
        {
            Assert.Contains(path, e.Message);
            return "refused";
        }
    }

    // Columns: file, bytes, format, mode, width, height, frames, orientation, result.
    private static string Expected(string[] row)
    {
        if (row[8] != "ok") return "refused";
        bool turned = row[7] is "5" or "6" or "7" or "8";
        return turned ? $"{row[5]}x{row[4]}" : $"{row[4]}x{row[5]}";
    }
}
