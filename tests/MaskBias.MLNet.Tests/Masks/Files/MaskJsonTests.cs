using System.Text;
using System.Text.Json;
using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;

namespace MaskBias.MLNet.Tests.Masks.Files;

public sealed class MaskJsonTests : IDisposable
{
    private const string Images = """{"images": [{"id": 7, "file_name": "train/a.jpg", "height": 4, "width": 5}, {"id": 8, "file_name": "b.jpg", "height": 6, "width": 5}]""";

    private readonly TempFolder folder = new();

    [Fact]
    public void SA1B_files_come_back_as_they_were_written()
    {
        var masks = MaskSet.FromBitmaps(30, 44, MaskScenes.RandomBitmaps(4, 30, 44, 12).Append(new bool[30 * 44]));
        string path = Path.Combine(folder.Path, "a.json");
        Sa1bFile.From(masks, "a.jpg", 3).Write(path);
        var read = Sa1bFile.Read(path);

        Assert.Equal(masks, read.ToMaskSet());
        Assert.Equal(("a.jpg", 3L), (read.FileName, read.ImageId));
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var (annotation, k) in json.RootElement.GetProperty("annotations").EnumerateArray().Select((a, k) => (a, k)))
        {
            bool[] bitmap = MaskScenes.Bitmap(masks, k);
            Assert.Equal(Transposed(bitmap, 30, 44), PublishedDecoder.Decode(annotation.GetProperty("segmentation")));
            Assert.Equal(bitmap.Count(b => b), annotation.GetProperty("area").GetInt32());
            int[] covered = [.. Enumerable.Range(0, bitmap.Length).Where(i => bitmap[i])];
            int[] box = covered.Length == 0 ? [0, 0, 0, 0] : [covered.Min(i => i % 44), covered.Min(i => i / 44),
                covered.Max(i => i % 44) - covered.Min(i => i % 44), covered.Max(i => i / 44) - covered.Min(i => i / 44)];
            Assert.Equal(box, annotation.GetProperty("bbox").EnumerateArray().Select(v => v.GetInt32()));
        }
    }

    [Fact]
    public void Results_come_back_as_they_were_written()
    {
        var masks = MaskSet.FromBitmaps(30, 44, MaskScenes.RandomBitmaps(5, 30, 44, 12));
        string path = Path.Combine(folder.Path, "results.json");
        CocoResults.Write(path, CocoRle.From(masks).Select((mask, k) => new CocoAnnotation(42, k, mask) { Score = k / 16.0 }));
        Assert.Equal(masks, CocoFile.Read(path).ReadMasks(42));

        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var (result, k) in json.RootElement.EnumerateArray().Select((r, k) => (r, k)))
        {
            Assert.Equal((42, k, k / 16.0), (result.GetProperty("image_id").GetInt32(), result.GetProperty("category_id").GetInt32(), result.GetProperty("score").GetDouble()));
            Assert.Equal(Transposed(MaskScenes.Bitmap(masks, k), 30, 44), PublishedDecoder.Decode(result.GetProperty("segmentation")));
        }
    }

    [Fact]
    public void A_failed_write_leaves_the_file_that_was_there()
    {
        string path = folder.Write("results.json", "old"u8.ToArray());
        Assert.Throws<NotSupportedException>(() => CocoResults.Write(path, Failing()));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder.Path));

        static IEnumerable<CocoAnnotation> Failing()
        {
            yield return new(1, 1, CocoRle.FromCounts(1, 1, [1]));
            throw new NotSupportedException();
        }
    }

    [Fact]
    public void Instances_hold_polygons_and_both_kinds_of_run_lengths()
    {
        var file = Coco(Images + """
            , "categories": [{"id": 1, "name": "x"}], "annotations": [
              {"id": 1, "image_id": 7, "category_id": 3, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2], [3, 0, 5, 0, 5, 4, 3, 4]], "iscrowd": 0, "area": 12},
              {"id": 2, "image_id": 8, "category_id": 1, "segmentation": {"size": [6, 5], "counts": [6, 6, 18]}, "iscrowd": 1},
              {"id": 3, "segmentation": {"counts": "`04", "size": [4, 5]}, "category_id": 2, "image_id": 7}]}
            """);
        Assert.Equal([7L, 8], file.Images.Select(i => i.Id));
        Assert.Equal([(3L, 12L, false), (2, 4, false)], file.Annotations(7).Select(a => (a.CategoryId, a.Segmentation.Area, a.IsCrowd)));
        Assert.True(Assert.Single(file.Annotations(8)).IsCrowd);
        Assert.Equal(MaskSet.FromBitmaps(4, 5,
            [MaskScenes.Paint(4, 5, (x, y) => x < 2 && y < 2 || x >= 3), MaskScenes.Paint(4, 5, (x, y) => x == 4)]), file.ReadMasks(7));
    }

    [Theory]
    [InlineData("/data/train/a.jpg", 7L)]
    [InlineData("train/a.jpg", 7L)]
    [InlineData("/x/y/b.jpg", 8L)]
    [InlineData("/x/val/a.jpg", null)]
    [InlineData("a.jpg", null)]
    [InlineData("b.png", null)]
    public void Images_are_found_by_the_tail_of_their_path(string path, long? id) =>
        Assert.Equal(id, Coco(Images + """, "annotations": []}""").FindImage(path));

    [Fact]
    public void Results_find_images_by_the_number_in_the_name()
    {
        var results = Coco("""[{"image_id": 42, "category_id": 1, "segmentation": {"size": [1, 1], "counts": "1"}, "score": 1}]""");
        Assert.Equal((42, null, null), (results.FindImage("x/COCO_val2014_000000000042.jpg"), results.FindImage("43.jpg"), results.FindImage("x.jpg")));
        Assert.Equal(0, results.ReadMasks(42).Area(0));
    }

    [Fact]
    public void Panoptic_segments_are_colours()
    {
        string path = folder.Write("panoptic.json", Encoding.UTF8.GetBytes(Images + """
            , "annotations": [{"image_id": 7, "file_name": "a.png", "segments_info": [{"id": 66051}, {"id": 2}, {"id": 9}]},
              {"image_id": 8, "file_name": "../a.png", "segments_info": []}, {"image_id": 9, "file_name": "a\u0000.png", "segments_info": []}]}
            """));
        folder.Write("panoptic/a.png", PngBytes.Write(5, 4, 2, 8, (x, y, c) => x == 0 ? 0 : x == 1 ? (c == 0 ? 2 : 0) : 3 - c));
        var file = CocoPanopticFile.Read(path);
        Assert.Equal(MaskSet.FromBitmaps(4, 5, [MaskScenes.Paint(4, 5, (x, _) => x > 1), MaskScenes.Paint(4, 5, (x, _) => x == 1), new bool[20]]), file.ReadMasks(7));
        Assert.Contains("leads out of the folder", Assert.Throws<InvalidDataException>(() => file.ReadMasks(8)).Message);
        Assert.Contains("a character that no path has", Assert.Throws<InvalidDataException>(() => file.ReadMasks(9)).Message);
        folder.Write("panoptic/a.png", PngBytes.Write(5, 4, 2, 8, (x, y, c) => 1));
        Assert.Contains("segment 65793, which", Assert.Throws<InvalidDataException>(() => file.ReadMasks(7)).Message);
        folder.Write("panoptic/a.png", PngBytes.Write(4, 5, 2, 8, (x, y, c) => 0));
        Assert.Contains("is 4x5; its image is 5x4", Assert.Throws<InvalidDataException>(() => file.ReadMasks(7)).Message);
    }

    [Theory]
    [InlineData("[1, 2", "not JSON that can be read")]
    [InlineData("", "not JSON that can be read")]
    [InlineData("7", "must be an object; it is 7")]
    [InlineData("""{"imag\ud800": 1}""", "not JSON that can be read")]
    [InlineData("{}", "there is no \"image\"")]
    [InlineData("""{"image": {"height": 4}, "annotations": []}""", "x.json.image: there is no \"width\"")]
    [InlineData("""{"image": {"height": "4", "width": 4}, "annotations": []}""", "x.json.image.height: this must be a whole number; it is \"4\"")]
    [InlineData("""{"image": {"height": 4.5, "width": 4}, "annotations": []}""", "it is 4.5")]
    [InlineData("""{"image": {"height": 32768, "width": 32768}, "annotations": []}""", "1073741824 pixels; at most 268435456")]
    [InlineData("""{"image": {"height": 4, "width": 4}, "annotations": [{"bbox": []}]}""", "annotations[0]: there is no \"segmentation\"")]
    [InlineData("""{"image": {"height": 4, "width": 4}, "annotations": [{"segmentation": {"size": [4, 4, 1], "counts": "a0"}}]}""", "must be [height, width]")]
    [InlineData("""{"image": {"height": 4, "width": 4}, "annotations": [{"segmentation": {"size": [4, 5], "counts": "d0"}}]}""", "is of 5x4; the image is of 4x4")]
    [InlineData("""{"image": {"height": 4, "width": 4}, "annotations": [{"segmentation": {"size": [4, 4], "counts": "d0"}}]}""", "annotations[0].segmentation: The run lengths reach 20")]
    [InlineData("""{"image": {"height": 4, "width": 4}, "annotations": [{"segmentation": [[1, 2]]}]}""", "A polygon has 2 numbers")]
    [InlineData("""[{"segmentation": [[1, 2, 3, 4, 5, 6]]}]""", "polygons need the image's size")]
    [InlineData("""[{"segmentation": {"size": [40000, 40000], "counts": "0"}}]""", "1600000000 pixels")]
    [InlineData("""[{"segmentation": {"size": [4, 4], "counts": "\ud800"}}]""", "not valid Unicode")]
    public void Malformed_SA1B_files_say_where_and_why(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Sa1bFile.Parse(Encoding.UTF8.GetBytes(json), "x.json")).Message);

    [Theory]
    [InlineData("7", "an object or an array")]
    [InlineData("{}", "there is no \"annotations\"")]
    [InlineData("""{"annotations": {}}""", "an array of annotations")]
    [InlineData("[3]", "an object as annotation 0")]
    [InlineData("""[{"image_id": "a"}]""", "a whole number as image_id of annotation 0")]
    [InlineData("""[{"image_id": 1e3}]""", "a whole number as image_id of annotation 0")]
    [InlineData("[{}]", "annotations[0] has no \"image_id\"")]
    [InlineData("""{"images": [{"id": 1}], "annotations": []}""", "images[0]: there is no \"file_name\"")]
    [InlineData("""{"images": 3, "annotations": []}""", "an array of images")]
    [InlineData("[] []", "not JSON")]
    [InlineData("""{"\ud800": 1}""", "not JSON")]
    public void Malformed_COCO_files_say_where_and_why(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Coco(json)).Message);

    [Fact]
    public void Boxes_alone_are_no_masks() => Assert.Contains("x.json: annotations[0]: there is no \"segmentation\"",
        Assert.Throws<InvalidDataException>(() => Coco("""[{"image_id": 4, "bbox": [1, 2, 3, 4]}]""").ReadMasks(4)).Message);

    [Fact]
    public void Deep_nesting_is_refused()
    {
        byte[] deep = Encoding.UTF8.GetBytes(new string('[', 100_000));
        Assert.Contains("maximum configured depth", Assert.Throws<InvalidDataException>(() => Sa1bFile.Parse(deep, "x")).Message);
        Assert.Contains("maximum configured depth", Assert.Throws<InvalidDataException>(() => CocoFile.Parse((byte[])[.. """[{"x": """u8, .. deep], "x")).Message);
        Assert.Contains("maximum configured depth", Assert.Throws<InvalidDataException>(() => SavFile.Parse(deep, "x")).Message);
    }

    [Fact]
    public void The_generators_list_needs_no_image()
    {
        string counts = CocoRle.FromCounts(4, 5, [3, 7, 10]).ToString();
        var file = Sa1bFile.Parse(Encoding.UTF8.GetBytes("\ufeff[{\"segmentation\": {\"size\": [4, 5], \"counts\": \"" + counts + "\"}, \"area\": 7}]"), "x");
        Assert.Equal((4, 5, 7), (file.Height, file.Width, file.ToMaskSet().Area(0)));
        Assert.Equal(0, Sa1bFile.Parse("[]"u8.ToArray(), "x").Height);
    }

    public void Dispose() => folder.Dispose();

    private static CocoFile Coco(string json) => CocoFile.Parse(Encoding.UTF8.GetBytes(json), "x.json");

    private static bool[] Transposed(bool[] bitmap, int height, int width) =>
        [.. Enumerable.Range(0, bitmap.Length).Select(i => bitmap[i % height * width + i / height])];
}
