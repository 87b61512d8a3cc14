using System.IO.Compression;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Extensions.Models;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

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

    [Theory, InlineData(false), InlineData(true)]
    public void Steps_that_change_images_before_the_embedding_are_named(bool classifies)
    {
        Assert.Contains("its step ImageResizingTransformer (which makes column Image) comes before the embedding, and serving would leave it out",
            RefusedAfter(ml.Transforms.ResizeImages("Image", 64, 64, resizing: ImageResizingEstimator.ResizingKind.Fill)));
        Assert.Contains("its step ImageGrayscalingTransformer (which makes column Image) comes before", RefusedAfter(ml.Transforms.ConvertToGrayscale("Image")));
        Assert.Contains("its step ImageGrayscalingTransformer (which makes column Gray) comes before",
            RefusedAfter(ml.Transforms.ConvertToGrayscale("Gray", "Image"), "Gray"));

        string RefusedAfter(IEstimator<ITransformer> change, string column = "Image")
        {
            var embed = LoadImages().Append(change).Append(ml.SelfSupervised().EmbedImages("Features", column, encoder));
            return Refused(classifies ? Classifying(embed) : embed, models.Photos.Load(ml));
        }
    }

    [Fact]
    public void Images_that_a_pipeline_only_loads_are_served_with_its_numbers()
    {
        var data = models.Photos.Load(ml);
        var fitted = LoadImages().Append(ml.SelfSupervised().EmbedImages("Features", "Image", encoder)).Fit(data);
        string path = models.In($"{Guid.NewGuid():N}.zip");
        ml.Model.Save(fitted, data.Schema, path);
        AssertServes(path, ml.Model.Load(path, out _).Transform(data).GetColumn<float[]>("Features").First());
    }

    [Fact]
    public void A_graph_that_gets_its_pixels_in_another_way_is_refused()
    {
        var data = models.Photos.Load(ml);
        string path = Save(ByHand(ResizeImages(ImageResizingEstimator.Anchor.Center), ml.Transforms.ExtractPixels("pixels", "Resized")), data);
        AssertServes(path, ml.Model.Load(path, out _).Transform(data).GetColumn<float[]>("Features").First());
        const string Expected = "(which makes column Resized) and ImagePixelExtractingTransformer are not those that EmbedImages saves";
        Assert.Contains(Expected, Refused(
            ByHand(ResizeImages(ImageResizingEstimator.Anchor.Top), ml.Transforms.ExtractPixels("pixels", "Resized")), data));
        Assert.Contains(Expected, Refused(
            ByHand(ml.Transforms.ResizeImages("Resized", 32, 32, "Image", ImageResizingEstimator.ResizingKind.IsoPad),
                ml.Transforms.ExtractPixels("pixels", "Resized")), data));
        Assert.Contains(Expected, Refused(
            ByHand(ResizeImages(ImageResizingEstimator.Anchor.Center), ml.Transforms.ExtractPixels("pixels", "Resized", scaleImage: 1 / 255f)), data));
        var scaled = ml.Transforms.ExtractPixels("pixels", "Resized").Append(ml.Transforms.Expression("pixels", "x : x / 255", "pixels"));
        Assert.Contains("its ONNX graph does not follow the resizing of an image and the extraction of its pixels",
            Refused(ByHand(ResizeImages(ImageResizingEstimator.Anchor.Center), scaled), data));
    }

    public void Dispose() => encoder.Dispose();

    private void AssertServes(string path, float[] expected)
    {
        var model = ServedModel.Load(path, threads: 1);
        float[] pixels = new float[3 * model.ImageSize * model.ImageSize];
        using var image = ImageDecoder.DecodeBitmap(models.Photos.Rows[0].Encoded, "photo", applyOrientation: false);
        model.Resize(image, pixels);
        float[] actual = model.Run(pixels, 1)[0].Features;
        model.Release();
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4f);
    }

    private ImageLoadingEstimator LoadImages() => ml.Transforms.LoadImages("Image", imageFolder: null, "ImagePath");

    private ImageResizingEstimator ResizeImages(ImageResizingEstimator.Anchor anchor) =>
        ml.Transforms.ResizeImages("Resized", 32, 32, "Image", ImageResizingEstimator.ResizingKind.IsoCrop, anchor);

    private IEstimator<ITransformer> ByHand(IEstimator<ITransformer> resize, IEstimator<ITransformer> extract) => LoadImages()
        .Append(resize).Append(extract).Append(ml.Transforms.ApplyOnnxModel("features", "pixels", models.Onnx))
        .Append(ml.Transforms.Expression("Features", "x : x", "features")).Append(ml.Transforms.DropColumns("features"));

    private IEstimator<ITransformer> Classifier(bool mapsLabels)
    {
        var embed = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder);
        return mapsLabels ? Classifying(embed) : embed.Append(Trainer());
    }

    private IEstimator<ITransformer> Classifying(IEstimator<ITransformer> embed) =>
        embed.Append(ml.Transforms.Conversion.MapValueToKey("Label")).Append(Trainer());

    private IEstimator<ITransformer> Trainer() =>
        ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

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
