using System.Text.Json;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Masks.Sam;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Parity;

/// <summary>The automatic mask generator against the published one, on a small model.</summary>
[Trait("Category", "Parity")]
public sealed class SamGeneratorParityTests : IDisposable
{
    private const double LeastIou = 0.98, IouTolerance = 1e-4, StabilityTolerance = 2e-3;

    private readonly ReferenceCase fixture = new("sam_amg");
    private readonly JsonDocument runs = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("sam_amg/amg.json")));

    [Theory]
    [InlineData("plain")]
    [InlineData("no_nms")]
    [InlineData("loose_nms")]
    [InlineData("filtered")]
    [InlineData("crops")]
    [InlineData("small_regions")]
    public void Masks_match(string name)
    {
        var run = runs.RootElement.GetProperty(name);
        var expected = run.GetProperty("masks").EnumerateArray().ToArray();
        using var model = SamReference.Load(fixture);
        fixture.LoadOver(model, "override");
        var result = new SamMaskGenerator(model, Options(run.GetProperty("args"))).Generate(SamReference.Image(fixture, "image", "input.image_hwc"));
        Assert.Equal(expected.Length, result.Masks.Count);
        Assert.Equal(expected.Length, result.Records.Count);

        var left = Enumerable.Range(0, expected.Length).ToList();
        byte[][] found = [.. left.Select(k => Bitmap(result.Masks, k))];
        foreach (var record in expected)
        {
            byte[] wanted = Bitmap(record.GetProperty("segmentation"), result.Masks);
            int match = left.MaxBy(k => Iou(wanted, found[k]) - BoxDistance(record, result.Records[k]) - PointDistance(record, result.Records[k]));
            left.Remove(match);
            Compare(record, wanted, result, match);
        }
        Assert.Equal(
            expected.Select(e => Math.Round(e.GetProperty("predicted_iou").GetDouble(), 3)), result.Records.Select(r => Math.Round(r.PredictedIou, 3)));
    }

    private static void Compare(JsonElement expected, byte[] wanted, GeneratedMasks result, int k)
    {
        var record = result.Records[k];
        Assert.InRange(Iou(wanted, Bitmap(result.Masks, k)), LeastIou, 1);
        Assert.InRange(BoxDistance(expected, record), 0, 1);
        Assert.Equal(result.Masks.Area(k), record.Area);
        Assert.InRange(record.Area, expected.GetProperty("area").GetInt64() * LeastIou - 1, expected.GetProperty("area").GetInt64() / LeastIou + 1);
        Near.Equal(expected.GetProperty("predicted_iou").GetDouble(), record.PredictedIou, IouTolerance, "predicted IoU");
        var stability = expected.GetProperty("stability_score");
        if (stability.ValueKind == JsonValueKind.Null) Assert.Equal(float.NaN, record.StabilityScore);
        else Near.Equal(stability.GetDouble(), record.StabilityScore, StabilityTolerance, "stability");
        Assert.InRange(PointDistance(expected, record), 0, 1e-9);
        Assert.Equal(Numbers(expected, "crop_box"), (double[])[record.Crop.Left, record.Crop.Top, record.Crop.Width, record.Crop.Height]);
    }

    private static SamMaskGeneratorOptions Options(JsonElement args)
    {
        var options = new SamMaskGeneratorOptions();
        foreach (var argument in args.EnumerateObject())
        {
            double value = argument.Value.GetDouble();
            _ = argument.Name switch
            {
                "points_per_side" => options.PointsPerSide = (int)value,
                "points_per_batch" => options.PointsPerBatch = (int)value,
                "pred_iou_thresh" => options.PredictedIouThreshold = value,
                "stability_score_thresh" => options.StabilityScoreThreshold = value,
                "stability_score_offset" => options.StabilityScoreOffset = value,
                "box_nms_thresh" => options.BoxNmsThreshold = value,
                "crop_n_layers" => options.CropLayers = (int)value,
                "crop_nms_thresh" => options.CropNmsThreshold = value,
                "crop_overlap_ratio" => options.CropOverlapRatio = value,
                "crop_n_points_downscale_factor" => options.CropPointsDownscaleFactor = (int)value,
                "min_mask_region_area" => options.MinMaskRegionArea = (int)value,
                _ => throw new NotSupportedException($"The run sets {argument.Name}."),
            };
        }
        return options;
    }

    private static byte[] Bitmap(JsonElement segmentation, MaskSet like)
    {
        int[] size = [.. segmentation.GetProperty("size").EnumerateArray().Select(s => s.GetInt32())];
        Assert.Equal([like.Height, like.Width], size);
        byte[] bitmap = new byte[size[0] * size[1]];
        int[] counts = [.. segmentation.GetProperty("counts").EnumerateArray().Select(c => c.GetInt32())];
        CocoRle.FromCounts(size[0], size[1], counts).ToMaskSet().CopyTo(0, bitmap);
        return bitmap;
    }

    private static byte[] Bitmap(MaskSet masks, int k)
    {
        byte[] bitmap = new byte[masks.Height * masks.Width];
        masks.CopyTo(k, bitmap);
        return bitmap;
    }

    // Two empty masks are alike.
    private static double Iou(byte[] a, byte[] b)
    {
        int shared = 0, either = 0;
        for (int i = 0; i < a.Length; i++) (shared, either) = (shared + (a[i] & b[i]), either + (a[i] | b[i]));
        return either == 0 ? 1 : (double)shared / either;
    }

    private static double BoxDistance(JsonElement expected, GeneratedMask record)
    {
        double[] box = Numbers(expected, "bbox");
        double[] found = [record.Box.Left, record.Box.Top, record.Box.Width, record.Box.Height];
        return box.Zip(found, (x, y) => Math.Abs(x - y)).Max();
    }

    private static double PointDistance(JsonElement expected, GeneratedMask record)
    {
        double[] point = [.. expected.GetProperty("point_coords")[0].EnumerateArray().Select(v => v.GetDouble())];
        return Math.Max(Math.Abs(point[0] - record.Point.X), Math.Abs(point[1] - record.Point.Y));
    }

    private static double[] Numbers(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];

    public void Dispose()
    {
        fixture.Dispose();
        runs.Dispose();
    }
}
