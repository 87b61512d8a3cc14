using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Docs;

/// <summary>What docs/data.md promises of images, and its example as it is printed there.</summary>
public sealed class DataPageTests : IDisposable
{
    private readonly ShapePhotos photos = new(perClass: 2);

    [Fact]
    public void The_example_runs_and_counts_what_it_leaves_out()
    {
        File.WriteAllBytes(Path.Combine(photos.Path, "broken.jpg"), [0xFF, 0xD8, 1, 2]);
        var lines = new StringWriter();
        Example(photos.Path, new() { ImageSize = 32, PatchSize = 16, EmbedDim = 24, Depth = 1, Heads = 3 }, lines);
        Assert.Equal($"{photos.Rows.Count} images, 1 left out\n1 without features\n", lines.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_page_shows_this_example() =>
        DocumentedCode.AssertShown("docs/data.md", "tests/MaskBias.MLNet.Tests/Docs/DataPageTests.cs");

    [Fact]
    public void The_library_references_nothing_of_networking() =>
        Assert.DoesNotContain(
            typeof(VitOptions).Assembly.GetReferencedAssemblies(), a => a.Name!.StartsWith("System.Net", StringComparison.Ordinal));

    public void Dispose() => photos.Dispose();

    private static void Example(string folder, VitOptions vit, TextWriter console)
    {
        var ml = new MLContext(seed: 1);
        // From here
        IDataView photos = ml.Data.LoadImageFolder(folder);                                 // lists the files; nothing is decoded yet
        var masked = ml.SelfSupervised().SegmentImages("Masks", "ImagePath").Fit(photos).Transform(photos);
        using var trained = ml.SelfSupervised().Mae(new MaeOptions
        {
            MaskColumnName = "Masks", Encoder = vit, Epochs = 1, ImageCacheMegabytes = 256, OnUnreadableImage = UnreadableTrainingImage.Skip,
        }).Fit(masked);
        console.WriteLine($"{trained.Report.Images} images, {trained.Report.SkippedRows} left out");

        var features = ml.SelfSupervised().EmbedImages(trained.Encoder, new ImageEmbeddingOptions
        {
            InputColumnName = "ImagePath", ApplyOrientation = true, OnUnreadableImage = UnreadableImage.MissingValue,
        }).Fit(photos).Transform(photos).GetColumn<float[]>("Features");
        console.WriteLine($"{features.Count(f => f.Any(float.IsNaN))} without features");
        // to here.
    }
}
