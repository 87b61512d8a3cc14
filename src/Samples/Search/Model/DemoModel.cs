using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Search.Model;

/// <summary>A small encoder, trained without labels on generated scenes: something to look at for those who have no model yet.</summary>
internal static class DemoModel
{
    private const int TrainingScenes = 200, ShownScenes = 30, LabelledScenes = 10, Seed = 1;     // of each class

    /// <summary>Makes the checkpoint, unless an earlier start has made it.</summary>
    /// <returns>Its folder.</returns>
    public static string Ensure(string dataFolder, TextWriter output, CancellationToken cancel)
    {
        string checkpoint = Path.Combine(dataFolder, "encoder");
        if (File.Exists(Path.Combine(checkpoint, EncoderCheckpoint.ConfigFile))) return checkpoint;
        output.WriteLine($"Training a small encoder on {10 * TrainingScenes} generated scenes; this happens once and takes a minute or two.");
        string scenes = Path.Combine(dataFolder, "training-scenes");
        ShapeScenes.Generate(scenes, Options(TrainingScenes, Seed), cancel);
        var ml = new MLContext(Seed);
        using var trained = ml.SelfSupervised().Mae(new MaeOptions
        {
            ImageColumnName = "ImagePath",
            Encoder = new() { ImageSize = 32, PatchSize = 8, EmbedDim = 64, Depth = 3, Heads = 2, Pooling = FeaturePooling.Mean },
            Decoder = new() { EmbedDim = 64, Depth = 2, Heads = 2 }, Crop = new() { MinScale = 0.5, FlipProbability = 0 },
            Epochs = 30, BatchSize = 64, LearningRate = 4e-3, Seed = Seed, Progress = new Lines(output), CancellationToken = cancel,
        }).Fit(ml.Data.LoadImageFolder(scenes));
        EncoderCheckpoint.Save(trained.Encoder, checkpoint);
        Directory.Delete(scenes, recursive: true);
        return checkpoint;
    }

    /// <summary>Scenes that the encoder has not seen, a few of each class with their label.</summary>
    public static IEnumerable<(byte[] Png, string? Label)> Scenes()
    {
        var options = Options(ShownScenes, Seed + 1);
        for (int index = 0; index < ShownScenes; index++)
        {
            for (int shape = 0; shape < ShapeScenes.ClassNames.Count; shape++)
            {
                var scene = ShapeScenes.Render(shape, index, options);
                var png = new Images.RgbImage(scene.Size, scene.Size, scene.Rgb).ToPng();
                yield return (png, index < LabelledScenes ? ShapeScenes.ClassNames[shape] : null);
            }
        }
    }

    private static ShapeSceneOptions Options(int perClass, int seed) => new()
    {
        Seed = seed, ImagesPerClass = perClass, SmallestObject = 0.65, LargestObject = 0.75, MaximumShift = 0.04, MaximumRotation = 8,
        Clutter = 0.2,                              // a minute of training suffices for these
    };

    // A line every five seconds.
    private sealed class Lines(TextWriter output) : IProgress<TrainingProgress>
    {
        private TimeSpan next = TimeSpan.FromSeconds(5);

        public void Report(TrainingProgress value)
        {
            if (value.Elapsed < next) return;
            next = value.Elapsed + TimeSpan.FromSeconds(5);
            string left = FormattableString.Invariant($"{value.Remaining.TotalSeconds:0} s left");
            output.WriteLine($"  epoch {value.Epoch} of {value.Epochs}, {left}");
        }
    }
}
