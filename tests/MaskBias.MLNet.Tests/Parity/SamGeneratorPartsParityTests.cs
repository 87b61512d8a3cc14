using System.Text.Json;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Masks.Sam.Generation;
using MaskBias.MLNet.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>The parts of the automatic mask generator against the published code.</summary>
[Trait("Category", "Parity")]
public sealed class SamGeneratorPartsParityTests : IDisposable
{
    private readonly ReferenceCase fixture = new("sam_amg_utils");
    private readonly JsonDocument facts = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("sam_amg_utils/io.json")));

    [Fact]
    public void Stability_scores_match()
    {
        using var scope = NewDisposeScope();
        foreach (var entry in Entries("stability."))
        {
            double[] values = [.. entry.Name.Split("thr")[1].Split(".off").Select(v => double.Parse(v, System.Globalization.CultureInfo.InvariantCulture))];
            Near.Equal(fixture.Read("io", entry.Name), SamMaskGenerator.StabilityScores(fixture.Read("io", "logits"), values[0], values[1]), 1e-6, entry.Name);
        }
    }

    [Fact]
    public void Runs_areas_and_boxes_match()
    {
        var (bitmaps, height, width) = Bitmaps("masks");
        int[][] rles = [.. facts.RootElement.GetProperty("rles").EnumerateArray().Select(r => Integers(r.GetProperty("counts")))];
        int[] areas = Integers(facts.RootElement.GetProperty("areas"));
        long[][] boxes = Boxes("boxes");
        Assert.NotEmpty(bitmaps);
        Assert.Equal(rles.Length, bitmaps.Count);
        for (int k = 0; k < bitmaps.Count; k++)
        {
            var (mask, box) = MaskCandidate.Read(bitmaps[k], new(0, 0, width, height), height, width);
            Assert.Equal(rles[k], CocoRle.From(mask, 0).Counts.ToArray());
            byte[] decoded = new byte[height * width];
            CocoRle.FromCounts(height, width, rles[k]).ToMaskSet().CopyTo(0, decoded);
            Assert.Equal(bitmaps[k], decoded);
            Assert.Equal(areas[k], mask.Area(0));
            Assert.Equal(boxes[k], (long[])[box.Left, box.Top, box.Right, box.Bottom]);
            if (k == 3) Assert.Equal(Boxes("boxes_xywh_of_3")[0], (long[])[box.Left, box.Top, box.Width, box.Height]);
        }
        Assert.Equal(boxes[..4], Boxes("boxes_2d_batch"));
        Assert.Contains(Boxes("boxes_single")[0], boxes);
    }

    [Fact]
    public void Small_regions_match()
    {
        var (bitmaps, height, width) = Bitmaps("small.masks");
        foreach (var step in Facts("remove_small_regions"))
        {
            var (k, area, mode) = (step.GetProperty("mask").GetInt32(), step.GetProperty("area").GetInt32(), step.GetProperty("mode").GetString());
            byte[] bitmap = [.. bitmaps[k]];
            bool changed = mode == "holes" ? SmallRegions.FillHoles(bitmap, height, width, area) : SmallRegions.RemoveIslands(bitmap, height, width, area);
            Assert.Equal(step.GetProperty("changed").GetBoolean(), changed);
            Assert.Equal(Bitmaps($"small.{k}.area{area}.{mode}").Bitmaps[0], bitmap);
        }
    }

    [Fact]
    public void Grids_and_crops_match()
    {
        foreach (var entry in Entries("point_grid"))
        {
            string[] parts = entry.Name.Split('.');
            int side = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
            if (parts.Length == 3)
            {
                int layer = int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture);
                side = new SamMaskGeneratorOptions { PointsPerSide = side, CropPointsDownscaleFactor = 2 }.PointsPerSideOf(layer);
            }
            var grid = PointGrid.Create(side);
            double[] expected = fixture.Doubles("io", entry.Name);
            Assert.Equal(expected.Length, 2 * grid.Length);
            for (int i = 0; i < grid.Length; i++)
            {
                Near.Equal(expected[2 * i], grid[i].X, 1e-15, $"{entry.Name} x {i}");
                Near.Equal(expected[2 * i + 1], grid[i].Y, 1e-15, $"{entry.Name} y {i}");
            }
        }
        foreach (var crops in Facts("crop_boxes"))
        {
            int[] size = Integers(crops.GetProperty("im_size_hw"));
            var found = Crop.Layers(size[0], size[1], crops.GetProperty("n_layers").GetInt32(), crops.GetProperty("overlap_ratio").GetDouble());
            Assert.Equal(crops.GetProperty("boxes_xyxy").EnumerateArray().Select(Integers), found.Select(c => (int[])[c.Box.Left, c.Box.Top, c.Box.Right, c.Box.Bottom]));
            Assert.Equal(Integers(crops.GetProperty("layer_idxs")), found.Select(c => c.Layer));
        }
    }

    [Fact]
    public void Masks_of_crops_match()
    {
        int[] cropCorners = Integers(fixture.Config.GetProperty("edge_crop")), image = Integers(fixture.Config.GetProperty("edge_orig"));
        var crop = new Crop(Box(cropCorners), 1);
        long[][] inCrop = Boxes("edge.boxes"), inImage = Boxes("uncrop.boxes");
        bool[] near = fixture.Read("io", "edge.near").data<bool>().ToArray();
        Assert.NotEmpty(near);
        for (int i = 0; i < near.Length; i++)
        {
            int[] moved = [(int)inCrop[i][0] + crop.Box.Left, (int)inCrop[i][1] + crop.Box.Top, (int)inCrop[i][2] + crop.Box.Left, (int)inCrop[i][3] + crop.Box.Top];
            Assert.Equal(inImage[i], moved.Select(v => (long)v));
            Assert.Equal(near[i], crop.CutsOff(Box(moved), Box(image)));
        }

        var uncrop = fixture.Config.GetProperty("uncrop");
        int height = uncrop.GetProperty("oh").GetInt32(), width = uncrop.GetProperty("ow").GetInt32();
        var (parts, _, _) = Bitmaps("uncrop.masks_in");
        var (wholes, _, _) = Bitmaps("uncrop.masks");
        Assert.NotEmpty(parts);
        for (int k = 0; k < parts.Count; k++)
        {
            byte[] bitmap = new byte[height * width];
            MaskCandidate.Read(parts[k], Box(Integers(uncrop.GetProperty("box"))), height, width).Mask.CopyTo(0, bitmap);
            Assert.Equal(wholes[k], bitmap);
        }
    }

    [Theory]
    [InlineData("0.3")]
    [InlineData("0.7")]
    public void Suppression_matches(string threshold)
    {
        float[] flat = fixture.Read("io", "nms.boxes").data<float>().ToArray(), scores = fixture.Read("io", "nms.scores").data<float>().ToArray();
        var boxes = Enumerable.Range(0, scores.Length).Select(i => (flat[4 * i], flat[4 * i + 1], flat[4 * i + 2], flat[4 * i + 3])).ToList();
        double limit = double.Parse(threshold, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(Longs($"nms.keep.{threshold}"), BoxSuppression.Keep(boxes, scores, limit).Select(i => (long)i));

        // Categories do not suppress one another: each by itself, then all by score.
        long[] categories = Longs("nms.cats");
        var kept = categories.Distinct().SelectMany(category =>
        {
            int[] members = [.. Enumerable.Range(0, scores.Length).Where(i => categories[i] == category)];
            return BoxSuppression.Keep([.. members.Select(i => boxes[i])], [.. members.Select(i => scores[i])], limit).Select(i => members[i]);
        });
        Assert.Equal(Longs($"nms.keep_cats.{threshold}"), kept.Order().OrderByDescending(i => scores[i]).Select(i => (long)i));
    }

    [Fact]
    public void Sizes_coordinates_and_pixels_of_resized_images_match()
    {
        int side = fixture.Int("long");
        foreach (var shape in Facts("preprocess_shape"))
        {
            int[] size = Integers(shape.GetProperty("hw")), resized = Integers(shape.GetProperty("out_hw"));
            Assert.Equal(side, shape.GetProperty("long").GetInt32());
            if (resized.Contains(0)) Assert.Contains("half a pixel", Assert.Throws<ArgumentException>(() => new ImageFrame(size[0], size[1], side)).Message);
            else Assert.Equal((resized[0], resized[1]), Resized(size[0], size[1], side));
        }

        int[] first = Integers(fixture.Config.GetProperty("shapes")[0]);
        var frame = new ImageFrame(first[0], first[1], side);
        double[] from = fixture.Doubles("io", "coords.in"), to = fixture.Doubles("io", "coords.out");
        Assert.NotEmpty(from);
        for (int i = 0; i < from.Length; i += 2)
        {
            var (x, y) = frame.ToModel(from[i], from[i + 1]);
            Near.Equal(to[i], x, 1e-12, "x");
            Near.Equal(to[i + 1], y, 1e-12, "y");
        }

        int images = Entries("resize.").Count / 2;                  // each before and after
        for (int i = 0; i < images; i++)
        {
            var image = SamReference.Image(fixture, "io", $"resize.{i}.in");
            var expected = SamReference.Image(fixture, "io", $"resize.{i}.out");
            var target = new ImageFrame(image.Height, image.Width, side);
            Assert.Equal(expected.Pixels, PillowResizer.Resize(image, target.ResizedHeight, target.ResizedWidth).Pixels);
        }
    }

    // At least one: what is checked of each is else true of none.
    private List<SafetensorsEntry> Entries(string prefix)
    {
        List<SafetensorsEntry> found = [.. fixture.File_("io").Entries.Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal))];
        Assert.NotEmpty(found);
        return found;
    }

    private List<JsonElement> Facts(string name)
    {
        List<JsonElement> found = [.. facts.RootElement.GetProperty(name).EnumerateArray()];
        Assert.NotEmpty(found);
        return found;
    }

    private static (int, int) Resized(int height, int width, int side)
    {
        var frame = new ImageFrame(height, width, side);
        return (frame.ResizedHeight, frame.ResizedWidth);
    }

    private static PixelBox Box(int[] corners) => new(corners[0], corners[1], corners[2], corners[3]);

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];

    private long[] Longs(string name) => fixture.Read("io", name).data<long>().ToArray();

    private long[][] Boxes(string name) => [.. Longs(name).Chunk(4)];

    private (List<byte[]> Bitmaps, int Height, int Width) Bitmaps(string name)
    {
        using var masks = fixture.Read("io", name);
        int height = (int)masks.shape[^2], width = (int)masks.shape[^1];
        return ([.. masks.bytes.ToArray().Chunk(height * width)], height, width);
    }

    public void Dispose()
    {
        fixture.Dispose();
        facts.Dispose();
    }
}
