using System.Text.Json;
using MaskBias.MLNet.Masks.Files;

namespace MaskBias.MLNet.Tests.Masks.Files;

/// <summary>Files of SA-1B, SA-V and COCO as they were published.</summary>
public class RealMaskFilesTests
{
    [Fact]
    public void Every_published_run_length_code_comes_back_as_it_was()
    {
        string folder = SharedData.Require("sam-json");
        int seen = 0, empty = 0;
        foreach (string path in Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var (size, counts) in RunLengths(document.RootElement))
            {
                var mask = CocoRle.Parse(size[0].GetInt32(), size[1].GetInt32(), counts);
                Assert.Equal(counts, mask.ToString());
                var masks = mask.ToMaskSet();
                Assert.Equal(mask.Area, masks.Area(0));
                Assert.Equal(mask.Counts.ToArray(), CocoRle.From(masks, 0).Counts.ToArray());
                seen++;
                empty += mask.Area == 0 ? 1 : 0;
            }
        }
        Assert.Equal((1694 + 2 + 325 + 734, 262), (seen, empty));
    }

    [Fact]
    public void Areas_match_and_SA1Bs_boxes_are_one_less()
    {
        foreach (string path in Directory.EnumerateFiles(SharedData.Require("sam-json/sa1b-fragments"), "*.json"))
        {
            var file = Sa1bFile.Read(path);
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var annotation = Assert.Single(file.Annotations);
            Assert.Equal(document.RootElement.GetProperty("annotations")[0].GetProperty("area").GetInt64(), annotation.Segmentation.Area);
            var box = annotation.Segmentation.BoundingBox();
            Assert.Equal([box.X, box.Y, box.Width - 1, box.Height - 1], annotation.Box!.Select(v => (int)v));
            Assert.Equal($"sa_{file.ImageId}.jpg", file.FileName);
            Assert.NotNull(annotation.PredictedIou);

            using var written = new MemoryStream();
            file.Write(written);
            Assert.Equal(Sorted(document.RootElement), Sorted(JsonDocument.Parse(written.ToArray()).RootElement));
        }
    }

    [Fact]
    public void SA1B_files_converted_from_COCO_match_their_areas()
    {
        int masks = 0;
        foreach (string path in Directory.EnumerateFiles(SharedData.Require("sam-json/coco-panoptic-permissive/sa1b-schema"), "*.json"))
        {
            var file = Sa1bFile.Read(path);
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            long[] areas = [.. document.RootElement.GetProperty("annotations").EnumerateArray().Select(a => a.GetProperty("area").GetInt64())];
            var set = file.ToMaskSet();
            Assert.Equal(areas, Enumerable.Range(0, set.Count).Select(set.Area));
            masks += areas.Length;
        }
        Assert.Equal(325, masks);
    }

    [Theory]
    [InlineData("auto", 9)]
    [InlineData("manual", 5)]
    public void Videos_are_frames_of_masklets(string kind, int masklets)
    {
        var video = SavFile.Read(SharedData.Require($"sam-json/sam2-sav/sav_000001_{kind}.json"));
        Assert.Equal(("sav_000001", 121, masklets), (video.VideoId, video.FrameCount, video.MaskletIds.Count));
        for (int frame = 0; frame < video.FrameCount; frame++)
        {
            var masks = video.Frame(frame);
            Assert.Equal((848, 480, masklets), (masks.Height, masks.Width, masks.Count));
            Assert.Equal(video.FrameRuns(frame).Select(m => m.Area), Enumerable.Range(0, masklets).Select(masks.Area));
        }
    }

    [Fact]
    public void Panoptic_pictures_hold_the_areas_and_masks_that_their_files_state()
    {
        string root = SharedData.Require("sam-json/coco-panoptic-permissive");
        var panoptic = CocoPanopticFile.Read(Path.Combine(root, "panoptic.json"));
        Assert.Equal(33, panoptic.Images.Count);
        foreach (var image in panoptic.Images)
        {
            var masks = panoptic.ReadMasks(panoptic.FindImage("images/" + image.FileName)!.Value);
            var converted = Sa1bFile.Read(Path.Combine(root, "sa1b-schema", Path.ChangeExtension(image.FileName, ".json"))).ToMaskSet();
            Assert.Equal((image.Height, image.Width), (masks.Height, masks.Width));
            Assert.Equal(converted, masks);
        }
    }

    [Fact]
    public void Published_results_are_read_and_written_to_the_letter()
    {
        string path = SharedData.Require("sam-json/coco-rle-results/instances_val2014_fakesegm100_results.json");
        var results = CocoFile.Read(path);
        var annotations = results.AnnotatedImages.SelectMany(results.Annotations).ToList();
        Assert.Equal(734, annotations.Count);
        using var written = new MemoryStream();
        CocoResults.Write(written, annotations);
        Assert.Equal(Sorted(JsonDocument.Parse(File.ReadAllBytes(path)).RootElement), Sorted(JsonDocument.Parse(written.ToArray()).RootElement));
    }

    private static IEnumerable<(JsonElement Size, string Counts)> RunLengths(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object when json.TryGetProperty("counts", out var counts) => [(json.GetProperty("size"), counts.GetString()!)],
        JsonValueKind.Object => json.EnumerateObject().SelectMany(p => RunLengths(p.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(RunLengths),
        _ => [],
    };

    // Numbers as values, properties in order of their names.
    private static string Sorted(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(",", json.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => $"{p.Name}:{Sorted(p.Value)}")) + "}",
        JsonValueKind.Array => "[" + string.Join(",", json.EnumerateArray().Select(Sorted)) + "]",
        JsonValueKind.Number => json.GetDouble().ToString("R"),
        _ => json.ToString(),
    };
}
