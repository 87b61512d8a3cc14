using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>The README's example, as it is printed there.</summary>
public sealed class ReadmeTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void The_example_runs()
    {
        string photos = Path.Combine(folder.Path, "photos"), file = Path.Combine(folder.Path, "model.zip");
        ShapeScenes.Generate(photos, new() { ImagesPerClass = 2, Size = 32 });
        Example(photos, file, new() { ImageSize = 32, PatchSize = 16, EmbedDim = 24, Depth = 2, Heads = 3 }, epochs: 1);
        Assert.True(new FileInfo(file).Length > 10_000);
    }

    [Fact]
    public void The_readme_shows_this_example()
    {
        string body = Read("tests/MaskBias.MLNet.Tests/Samples/ReadmeTests.cs").Split("// From here\n")[1].Split("        // to here.")[0];
        var lines = body.Split('\n').Select(line => line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line);
        Assert.Contains(string.Join('\n', lines).Trim(), Read("README.md"));

        static string Read(string path) => File.ReadAllText(Path.Combine(Fixtures.Root, path)).ReplaceLineEndings("\n");
    }

    public void Dispose() => folder.Dispose();

    private static void Example(string folder, string file, VitOptions vit, int epochs)
    {
        // From here
        var ml = new MLContext(seed: 1);
        IDataView photos = ml.Data.LoadImageFolder(folder);                                 // ImagePath, Label (folder name)

        // masks, and DINO with the mask-guided attention bias
        IDataView segmented = ml.SelfSupervised().SegmentImages("Masks", "ImagePath").Fit(photos).Transform(photos);
        IDataView masked = ml.Data.Cache(segmented);                                        // segment once, read often
        using var teacher = ml.SelfSupervised().Dino(new DinoOptions
        {
            ImageColumnName = "ImagePath", MaskColumnName = "Masks", Encoder = vit, Epochs = epochs,
            Head = new() { OutDim = 4096 },                                                 // a few thousand images need few prototypes
        }).Fit(masked);

        // a plain student: its teacher sees the masks, it does not
        using var student = ml.SelfSupervised().Distill(teacher, new DistillationOptions
        {
            ImageColumnName = "ImagePath", MaskColumnName = "Masks", Epochs = epochs,
        }).Fit(masked);

        // an ordinary pipeline
        var pipeline = ml.SelfSupervised().EmbedImages("Features", "ImagePath", student.Encoder)
            .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy())
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        ml.Model.Save(pipeline.Fit(photos), photos.Schema, file);                           // loads without this library and libtorch
        // to here.
    }
}
