using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Benchmarks.Experiments;

/// <summary>The grocery photographs, and a ViT-Ti that has learned from them without labels.</summary>
internal static class GroceryPhotos
{
    private const int Side = 96;
    private const string Checkpoint = "artifacts/experiment/encoder";

    /// <summary>Rows of a split with its labels; null, with a line that says so, where the photographs are not there.</summary>
    public static IDataView? Load(MLContext ml, string split, TextWriter output)
    {
        string root = Environment.GetEnvironmentVariable("MASKBIAS_DATA") is { Length: > 0 } named ? named : "../shared/data";
        string folder = Path.Combine(root, "grocery", "images", split);
        if (Directory.Exists(folder)) return ml.Data.LoadImageFolder(folder);
        output.WriteLine($"  {folder} is not there: start from the repository's root beside ../shared, or name the data's folder in MASKBIAS_DATA.");
        return null;
    }

    /// <summary>
    /// Loads the encoder, pretraining it first where that has not been done: a masked autoencoder, on the training photographs alone.
    /// </summary>
    public static VisionEncoder Encoder(MLContext ml, IDataView photos, TextWriter output)
    {
        if (!Directory.Exists(Checkpoint))
        {
            int epochs = int.TryParse(Environment.GetEnvironmentVariable("MASKBIAS_EPOCHS"), out int wanted) ? wanted : 60;
            output.WriteLine($"  pretraining ViT-Ti/16 at {Side} pixels as a masked autoencoder, {epochs} epochs, to {Checkpoint}; measure in a process of its own");
            using var pretrained = ml.SelfSupervised().Mae(new MaeOptions
            {
                Encoder = VitOptions.Tiny(imageSize: Side), Decoder = new() { EmbedDim = 96, Depth = 2, Heads = 3 }, Epochs = epochs, BatchSize = 64,
                LearningRate = 2e-3, WarmupEpochs = 5, Seed = 1, Progress = new EpochLines(output),
            }).Fit(photos);
            EncoderCheckpoint.Save(pretrained.Encoder, Checkpoint);
        }
        return EncoderCheckpoint.Load(Checkpoint);
    }

    private sealed class EpochLines(TextWriter output) : IProgress<TrainingProgress>
    {
        private int told;

        public void Report(TrainingProgress value)
        {
            if (value.Epoch == told) return;
            told = value.Epoch;
            output.WriteLine(FormattableString.Invariant($"    epoch {value.Epoch} of {value.Epochs}, loss {value.Loss:0.0000}, {value.ImagesPerSecond:0} images/s"));
        }
    }
}
