using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Docs;

/// <summary>How docs/classifiers.md predicts with a saved model, as it is printed there.</summary>
public sealed class DocumentedPredictionTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly ShapePhotos photos = new(perClass: 6);

    [Fact]
    public void The_example_names_the_classes_and_their_probabilities()
    {
        string file = Path.Combine(folder.Path, "model.zip");
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadImageFolder(photos.Path);
        using (VisionEncoder encoder = TinyEncoders.Plain())
        {
            var options = LinearProbeOptions.Sweep();
            options.Epochs = 2;
            var model = ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.MulticlassClassification.Trainers.LinearProbe(encoder, options))
                .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(data);
            ml.Model.Save(model, data.Schema, file);
        }
        var console = new StringWriter();
        Example(file, photos.Rows[0].ImagePath, console);
        string[] lines = console.ToString().ReplaceLineEndings("\n").Split('\n');
        Assert.Equal(photos.Rows.Select(r => r.Label).Distinct().Order(), lines[1..4].Select(l => l.Split(' ')[0]).Order());
        Assert.Contains(lines[0].Split(':')[0], lines[1..4].Select(l => l.Split(' ')[0]));
    }

    [Fact]
    public void The_page_shows_this_example() =>
        DocumentedCode.AssertShown("docs/classifiers.md", "tests/MaskBias.MLNet.Tests/Docs/DocumentedPredictionTests.cs");

    public void Dispose()
    {
        folder.Dispose();
        photos.Dispose();
    }

    private static void Example(string file, string photo, TextWriter console)
    {
        // From here
        var ml = new MLContext();
        ITransformer model = ml.Model.Load(file, out _);                                                // ML.NET's own: no libtorch is needed
        using var engine = ml.Model.CreatePredictionEngine<Photo, Prediction>(model);                   // for one thread; make one for each
        VBuffer<ReadOnlyMemory<char>> classes = default;
        engine.OutputSchema["Score"].GetSlotNames(ref classes);                                         // in the order of Score
        Prediction prediction = engine.Predict(new() { ImagePath = photo });
        console.WriteLine($"{prediction.PredictedLabel}: {prediction.Score.Max():p1}");
        foreach (var (name, probability) in classes.DenseValues().Zip(prediction.Score)) console.WriteLine($"{name} {probability:p1}");
        // to here.
    }

    private sealed class Photo
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";
    }

    private sealed class Prediction
    {
        public string PredictedLabel { get; set; } = "";

        public float[] Score { get; set; } = [];
    }
}
