using MaskBias.MLNet.Benchmarks.Fuzzing;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Tests.Images;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Masks.Files;

public sealed class LoadMasksTests : IDisposable
{
    private const int Width = 48, Height = 40;

    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new();
    private readonly MaskSet masks = MaskScenes.Ellipses(3, Height, Width, 3);

    [Fact]
    public void Each_image_finds_its_own_file_whatever_its_kind()
    {
        string[] images = [Image("photos/hat/a.png"), Image("photos/hat/b.png"), Image("photos/coat/a.png"), Image("photos/d.png")];
        Sa1bFile.From(masks, "a.jpg").Write(In("masks/hat/a.json"));
        folder.Write("masks/b.png", LabelMap((x, y) => x / 16));
        for (int k = 0; k < 3; k++) folder.Write($"masks/coat/a/{k}.png", PngBytes.Write(Width, Height, 0, 8, (x, y, _) => masks.Contains(k, x, y) ? 255 : 0));
        folder.Write("masks/d.json", "[]"u8.ToArray());

        var loaded = Load("masks", images);
        Assert.Equal([masks, Stripes(16, 1, 2), masks, MaskSet.Empty(Height, Width)], loaded);
    }

    [Fact]
    public void A_file_for_all_images_is_recognised()
    {
        string[] images = [Image("photos/a_7.png"), Image("photos/b_8.png")];
        string[] segmentations = [.. CocoRle.From(masks).Select((m, k) => $$"""{"image_id": {{7 + k / 2}}, "category_id": 1, "segmentation": {"size": [{{Height}}, {{Width}}], "counts": "{{m.ToString().Replace("\\", "\\\\")}}"}""" + "}")];
        string results = $"[{string.Join(",", segmentations)}]";
        string listed = $$"""{"annotations": {{results}}, "images": [{"id": 7, "file_name": "a_7.png", "width": {{Width}}, "height": {{Height}}}, {"id": 8, "file_name": "photos/b_8.png", "width": {{Width}}, "height": {{Height}}}]}""";
        string panoptic = listed.Replace(results, """[{"image_id": 7, "file_name": "a.png", "segments_info": [{"id": 1}]}, {"image_id": 8, "file_name": "a.png", "segments_info": [{"id": 1}]}]""");
        folder.Write("panoptic/a.png", PngBytes.Write(Width, Height, 2, 8, (x, y, c) => c == 0 && x / 16 == 1 ? 1 : 0));
        MaskSet[] expected = [Pick(0, 1), Pick(2)];

        Assert.Equal(expected, Load(Json("results.json", results), images));
        Assert.Equal(expected, Load(Json("instances.json", listed), images));
        Assert.Equal([Stripes(16, 1), Stripes(16, 1)], Load(Json("panoptic.json", panoptic), images));
        Sa1bFile.From(masks, "a_7.jpg").Write(In("one.json"));
        Assert.Equal([masks], Load("one.json", images[..1]));
        Assert.Contains("read it with SavFile", Assert.Throws<InvalidDataException>(() => Load(Json("video.json", """{"masklet": []}"""), images)).Message);
        Assert.Contains("no mask file that is known", Assert.Throws<InvalidDataException>(() => Load(Json("x.json", """{"a": 1}"""), images)).Message);
    }

    [Fact]
    public void An_image_without_masks_is_an_error_or_has_none()
    {
        string image = Image("photos/lost.png");
        Directory.CreateDirectory(In("masks"));
        string message = Error(() => Load("masks", [image]));
        Assert.Contains($"Row 0, column 'ImagePath': there are no masks for '{image}': '{In("masks")}' has no .json, .png or folder of PNGs of that name", message);
        Assert.Equal([MaskSet.Empty(Height, Width)], LoadWith(new() { Path = In("masks"), OnMissingMasks = MissingMasks.NoMasks }, [image]));
        // An image beside its masks is not its own mask.
        Assert.Contains("there are no masks", Error(() => Load("photos", [image])));
        Assert.Contains("there are no masks", Error(() => Load("photos", [Image("photos/CAMERA.PNG")])));
        Assert.Throws<FileNotFoundException>(() => Load("nowhere", [image]));
    }

    [Fact]
    public void Masks_of_a_scaled_image_fit_and_others_are_refused()
    {
        string image = Image("photos/a.png");
        folder.Write("masks/a.png", PngBytes.Write(Width / 2, Height / 2, 0, 8, (x, y, _) => x / 8));
        Assert.Equal([Stripes(16, 1, 2)], Load("masks", [image]));
        folder.Write("masks/a.png", PngBytes.Write(3 * Width, 3 * Height, 0, 8, (x, y, _) => x / 48));
        Assert.Equal([Stripes(16, 1, 2)], Load("masks", [image]));
        folder.Write("masks/a.png", PngBytes.Write(Height, Width, 0, 8, (x, y, _) => 1));
        string message = Error(() => Load("masks", [image]));
        Assert.Contains("Row 0", message);
        Assert.Contains("are of 40x48", message);
        Assert.Contains("a.png' is of 48x40", message);
    }

    [Fact]
    public void Masks_fit_the_image_as_it_is_read()
    {
        byte[] jpeg = SampleImages.JpegWithOrientation(SampleImages.Shape(0, 1, Width, Height, SKEncodedImageFormat.Jpeg), 6);
        string image = folder.Write("photos/turned.jpg", jpeg);
        folder.Write("masks/turned.png", PngBytes.Write(Height, Width, 0, 8, (x, y, _) => 1));
        Assert.Equal([Width], Load("masks", [image]).Select(m => m!.Height));
        Assert.Contains("is of 48x40", Error(() => LoadWith(new() { Path = In("masks"), ApplyOrientation = false }, [image])));
    }

    [Fact]
    public void Unreadable_images_have_a_missing_value_and_damaged_masks_are_errors()
    {
        string text = folder.Write("photos/a.png", "no image"u8.ToArray());
        folder.Write("masks/a.json", "[}"u8.ToArray());
        Assert.Equal([null], Load("masks", [text]));
        Assert.Contains("Row 0, column 'ImagePath': '" + text, Error(() => LoadWith(new() { Path = In("masks"), OnUnreadableImage = UnreadableImage.Throw }, [text])));
        Assert.Contains("Row 0, column 'ImagePath': the masks of", Error(() => Load("masks", [Image("photos/a.png")])));
    }

    [Fact]
    public void Wrong_uses_are_named()
    {
        Assert.Contains("Path is not set", Assert.Throws<ArgumentException>(() => ml.SelfSupervised().LoadMasks(new())).Message);
        Assert.Contains("Coco is one JSON file", Assert.Throws<ArgumentException>(() => LoadWith(new() { Path = folder.Path, Format = MaskFileFormat.Coco }, [])).Message);
        string file = folder.Write("a.png", LabelMap((x, y) => 1));
        Assert.Contains("LabelMap needs the folder", Assert.Throws<ArgumentException>(() => LoadWith(new() { Path = file, Format = MaskFileFormat.LabelMap }, [])).Message);
        var data = ml.Data.LoadFromEnumerable([new { Encoded = new byte[3] }]);
        Assert.Contains("found by the path", Assert.Throws<ArgumentException>(() => ml.SelfSupervised().LoadMasks("Masks", "Encoded", folder.Path).Fit(data)).Message);
    }

    [Theory]
    [InlineData(40, 48, 80, 96, true)]
    [InlineData(427, 640, 100, 150, true)]
    [InlineData(1500, 2250, 683, 1024, true)]
    [InlineData(40, 48, 48, 40, false)]
    [InlineData(100, 100, 1000, 1010, true)]
    [InlineData(100, 100, 1000, 1030, false)]
    public void The_aspect_agrees_within_a_pixel_or_not(int height, int width, int otherHeight, int otherWidth, bool agrees)
    {
        Assert.Equal(agrees, MaskResizing.SameAspect((height, width), (otherHeight, otherWidth)));
        Assert.Equal(agrees, MaskResizing.SameAspect((otherHeight, otherWidth), (height, width)));
    }

    [Theory]
    [InlineData(17, 90)]
    [InlineData(64, 31)]
    [InlineData(1, 1)]
    public void Resizing_takes_the_nearest_pixel(int height, int width)
    {
        var from = MaskSet.FromBitmaps(Height, Width, MaskScenes.RandomBitmaps(8, Height, Width, 8));
        var to = MaskResizing.Nearest(from, height, width, int.MaxValue);
        for (int k = 0; k < from.Count; k++)
        {
            bool[] bitmap = MaskScenes.Bitmap(from, k);
            bool[] expected = MaskScenes.Paint(height, width, (x, y) => bitmap[(2 * y + 1) * Height / (2 * height) * Width + (2 * x + 1) * Width / (2 * width)]);
            Assert.Equal(expected, MaskScenes.Bitmap(to, k));
        }
    }

    public void Dispose() => folder.Dispose();

    private MaskSet Pick(params int[] which) => MaskSet.FromBitmaps(Height, Width, which.Select(k => MaskScenes.Bitmap(masks, k)));

    private static MaskSet Stripes(int width, params int[] which) =>
        MaskSet.FromBitmaps(Height, Width, which.Select(k => MaskScenes.Paint(Height, Width, (x, _) => x / width == k)));

    private static byte[] LabelMap(Func<int, int, int> label) => PngBytes.Write(Width, Height, 3, 8, (x, y, _) => label(x, y));

    private string In(string name) => Path.Combine(folder.Path, name);

    private string Image(string name) => folder.Write(name, SampleImages.Shape(0, 1, Width, Height));

    private string Json(string name, string json) => Path.GetFileName(folder.Write(name, System.Text.Encoding.UTF8.GetBytes(json)));

    private IEnumerable<MaskSet?> Load(string path, string[] images) => LoadWith(new() { Path = In(path) }, images);

    private IEnumerable<MaskSet?> LoadWith(LoadMasksOptions options, string[] images)
    {
        var data = ml.Data.LoadFromEnumerable(images.Select(path => new Row { ImagePath = path }));
        var view = ml.SelfSupervised().LoadMasks(options).Fit(data).Transform(data);
        return view.GetColumn<byte[]>("Masks").Select(bytes => bytes.Length == 0 ? null : MaskSet.Decode(bytes)).ToList();
    }

    // What a cursor throws may come wrapped.
    private static string Error(Func<object?> load) => Assert.ThrowsAny<Exception>(load).ToString();

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";
    }
}
