using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Samples.Quickstart.Pictures;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>Writes what a run leaves behind.</summary>
internal sealed class Artifacts(MLContext ml, string folder)
{
    private const int Samples = 8;

    private readonly List<(string Path, string Content)> files = [];

    /// <summary>Writes everything.</summary>
    /// <param name="hasLabels">Whether the model classifies; else it gives features alone.</param>
    /// <param name="train">The images that the classifier learns from.</param>
    /// <param name="shown">Images for the pictures.</param>
    /// <param name="teacher">The phase-1 encoder, which draws reconstructions where it is MAE's.</param>
    /// <param name="distilled">The plain encoder, which goes into the model.</param>
    /// <returns>Each file or folder with what it is.</returns>
    public IReadOnlyList<(string Path, string Content)> Write(
        bool hasLabels, IDataView train, IDataView shown, PretrainedTransformer teacher, PretrainedTransformer distilled)
    {
        var student = distilled.Encoder;
        Directory.CreateDirectory(folder);
        string outputs = hasLabels ? "Features, Score and PredictedLabel" : "Features";
        WriteModel(Name("model.zip", $"ML.NET model from ImagePath to {outputs}"), hasLabels, train, student);
        EncoderCheckpoint.Save(student, Name("encoder", "checkpoint of the student: config.json and model.safetensors"));
        EncoderCheckpoint.Save(teacher.Encoder, Name("teacher", "checkpoint of the phase-1 encoder"));
        LossCurve.Write(Name("loss.png", "loss of both phases"), [Losses(teacher.Report), Losses(distilled.Report)]);

        var photos = Spread(shown);
        RgbImage[] images = [.. photos.Select(p => ImageDecoder.Decode(File.ReadAllBytes(p.ImagePath), p.ImagePath))];
        MaskSheet.Write(Name("masks.png", "images with their masks"),
            [.. images.Zip(photos, (image, photo) => (image, MaskSet.Decode(photo.Masks)))]);
        AttentionSheet.Write(Name("attention.png", "where the student's class token looks: images, then a map per head"),
            [.. images.Select(image => AttentionMap.Of(student, image))]);
        if (teacher is MaeTransformer mae)
        {
            ReconstructionSheet.Write(Name("reconstruction.png", "images, what MAE's encoder sees, and what its decoder makes of that"),
                mae.Reconstruct(ml.Data.LoadFromEnumerable(photos), photos.Count));
        }
        return files;
    }

    private static (string Phase, IReadOnlyList<double> Losses, int Epochs) Losses(TrainingReport report) =>
        (report.Phase, report.Losses, report.Losses.Count / report.StepsPerEpoch);

    private string Name(string name, string content)
    {
        string path = Path.Combine(folder, name);
        files.Add((path, content));
        return path;
    }

    private void WriteModel(string path, bool hasLabels, IDataView train, VisionEncoder student)
    {
        var model = hasLabels
            ? LinearClassifier.Fit(ml, student, train)
            : ml.SelfSupervised().EmbedImages("Features", "ImagePath", student).Fit(train);
        var input = ml.Transforms.SelectColumns("ImagePath").Fit(train).Transform(train);
        WholeFile.Write(path, stream => ml.Model.Save(model, input.Schema, stream));
    }

    // A few, evenly spread: rows lie class by class.
    private List<MaskedPhoto> Spread(IDataView shown)
    {
        var all = ml.Data.CreateEnumerable<MaskedPhoto>(shown, reuseRowObject: false).ToList();
        int count = Math.Min(Samples, all.Count);
        return [.. Enumerable.Range(0, count).Select(i => all[i * all.Count / count])];
    }
}
