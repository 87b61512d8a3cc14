using System.IO.Compression;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Extensions.Models;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Extensions;

/// <summary>Which pipelines of ML.NET can be served, and what is said of the others.</summary>
public sealed class ServedPipelineTests(ServedModels models) : IClassFixture<ServedModels>, IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly VisionEncoder encoder = TinyEncoders.Plain();

    [Theory, InlineData(false), InlineData(true)]
    public void A_model_saved_on_Windows_gives_the_same(bool nearestNeighbors)
    {
        string path = nearestNeighbors ? models.NearestNeighbors : models.Classifier;
        var (here, there) = (ServedModel.Load(path, threads: 1), ServedModel.Load(AsOnWindows(path), threads: 1));
        float[] pixels = [.. Enumerable.Range(0, 3 * here.ImageSize * here.ImageSize).Select(i => i % 256f)];
        ServedResult expected = here.Run(pixels, 1)[0], actual = there.Run(pixels, 1)[0];
        Assert.Equal((expected.ModelId, expected.Class!.Label), (actual.ModelId, actual.Class!.Label));
        Assert.Equal(expected.Features, actual.Features);
        Assert.Equal(expected.Class.Probabilities, actual.Class.Probabilities);
        here.Release();
        there.Release();
    }

    [Fact]
    public void A_step_for_training_alone_is_named_and_text_labels_need_no_care()
    {
        var numbered = ml.Data.LoadFromEnumerable(models.Photos.Rows.Select(r => new NumberedRow
        {
            ImagePath = r.ImagePath, Label = Array.IndexOf(SampleImages.Classes, r.Label),
        }));
        string message = Refused(Classifier(mapsLabels: true), numbered);
        Assert.Contains("a step for training alone, which needs a column that a served image lacks: Label (Int32)", message);
        Assert.Contains("Fit that step apart from the pipeline", message);
        Assert.Contains("Could not find input column 'Label'", message);

        var mapped = ml.Transforms.Conversion.MapValueToKey("Label").Fit(numbered).Transform(numbered);
        Assert.Contains("Train it on labels that are text", Refused(Classifier(mapsLabels: false), mapped));

        var named = ml.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.String).Fit(numbered).Transform(numbered);
        Assert.Equal(["0", "1", "2"], Classes(Classifier(mapsLabels: true), named));
        var mappedApart = ml.Transforms.Conversion.MapValueToKey("Label").Fit(named).Transform(named);
        Assert.Equal(["0", "1", "2"], Classes(Classifier(mapsLabels: false), mappedApart));
    }

    [Fact]
    public void Two_embeddings_are_refused()
    {
        var pipeline = ml.SelfSupervised().EmbedImages("A", "ImagePath", encoder)
            .Append(ml.SelfSupervised().EmbedImages("B", "ImagePath", encoder))
            .Append(ml.Transforms.Concatenate("Features", "A", "B"));
        Assert.Contains("Save a model with one embedding step", Refused(pipeline, models.Photos.Load(ml)));
    }

    public void Dispose() => encoder.Dispose();

    private IEstimator<ITransformer> Classifier(bool mapsLabels)
    {
        var embed = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder);
        var classify = ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        return mapsLabels ? embed.Append(ml.Transforms.Conversion.MapValueToKey("Label")).Append(classify) : embed.Append(classify);
    }

    private string Refused(IEstimator<ITransformer> pipeline, IDataView data)
    {
        string path = Save(pipeline, data);
        return Assert.Throws<InvalidDataException>(() => ServedModel.Load(path, threads: 1)).Message;
    }

    private IReadOnlyList<string> Classes(IEstimator<ITransformer> pipeline, IDataView data)
    {
        var model = ServedModel.Load(Save(pipeline, data), threads: 1);
        model.Release();
        return model.Classes;
    }

    private string Save(IEstimator<ITransformer> pipeline, IDataView data)
    {
        string path = models.In($"{Guid.NewGuid():N}.zip");
        ml.Model.Save(pipeline.Fit(data), data.Schema, path);
        return path;
    }

    private string AsOnWindows(string path)
    {
        string copy = models.In($"{Guid.NewGuid():N}.zip");
        using var from = ZipFile.OpenRead(path);
        using var to = ZipFile.Open(copy, ZipArchiveMode.Create);
        foreach (var entry in from.Entries)
        {
            using Stream read = entry.Open(), written = to.CreateEntry(entry.FullName.Replace('/', '\\')).Open();
            read.CopyTo(written);
        }
        return copy;
    }

    private sealed class NumberedRow
    {
        public string ImagePath { get; set; } = "";

        public int Label { get; set; }
    }
}
