using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Docs;

/// <summary>The example of docs/migration.md, as it is printed there.</summary>
public sealed class DocumentedMigrationTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly ShapePhotos photos = new(perClass: 6);

    [Fact]
    public void The_example_runs()
    {
        string checkpoint = Path.Combine(folder.Path, "encoder"), file = Path.Combine(folder.Path, "model.zip");
        using (var encoder = TinyTraining.Teacher()) EncoderCheckpoint.Save(encoder, checkpoint);
        Example(photos.Path, checkpoint, file);
        Assert.Single(FreshProcess.Classify(file, photos.Rows[0].ImagePath));
    }

    [Fact]
    public void The_page_shows_this_example() =>
        DocumentedCode.AssertShown("docs/migration.md", "tests/MaskBias.MLNet.Tests/Docs/DocumentedMigrationTests.cs");

    public void Dispose()
    {
        folder.Dispose();
        photos.Dispose();
    }

    private static void Example(string folder, string checkpoint, string file)
    {
        // From here
        var ml = new MLContext(seed: 1);
        IDataView photos = ml.Data.LoadImageFolder(folder);                     // ImagePath, Label (folder name)
        var split = ml.Data.TrainTestSplit(photos, testFraction: 0.2);
        using VisionEncoder encoder = EncoderCheckpoint.Load(checkpoint);       // published weights, or what Dino, Mae and Distill gave

        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(ml.MulticlassClassification.Trainers.LinearProbe(encoder))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        ITransformer model = pipeline.Fit(split.TrainSet);
        var metrics = ml.MulticlassClassification.Evaluate(model.Transform(split.TestSet));
        ml.Model.Save(model, photos.Schema, file);                              // for ML.NET and ONNX Runtime alone
        // to here.
        Assert.InRange(metrics.MacroAccuracy, 0.5, 1);         // a third by chance
    }
}
