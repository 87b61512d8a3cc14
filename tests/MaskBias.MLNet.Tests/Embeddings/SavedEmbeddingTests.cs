using System.Text.Json;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.Embeddings;

public sealed class SavedEmbeddingTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 6);
    private readonly VisionEncoder encoder = TinyEncoders.Plain();
    private readonly TempFolder folder = new();

    private string ModelPath => Path.Combine(folder.Path, "model.zip");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_process_with_ML_NET_alone_gives_the_same_embeddings_and_labels(bool fromImages)
    {
        var data = ml.Data.LoadImageFolder(photos.Path);
        IEstimator<ITransformer> embed = fromImages
            ? ml.Transforms.LoadImages("Image", null, "ImagePath").Append(ml.SelfSupervised().EmbedImages("Features", "Image", encoder))
            : ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder);
        var model = Classifier(embed).Fit(data);
        var expected = ml.Data.CreateEnumerable<ShapePhotos.Prediction>(model.Transform(data), reuseRowObject: false, ignoreMissingColumns: true).ToArray();
        ml.Model.Save(model, data.Schema, ModelPath);

        string[] paths = data.GetColumn<string>("ImagePath").ToArray();
        var lines = FreshProcess.Run(ModelPath, paths);
        for (int i = 0; i < paths.Length; i++)
        {
            using var line = JsonDocument.Parse(lines[i]);
            Assert.Equal(paths[i], line.RootElement.GetProperty("path").GetString());
            AssertClose(expected[i].Features, Numbers(line, "features"));
            AssertClose(expected[i].Score, Numbers(line, "score"));
            Assert.Equal(expected[i].PredictedLabel, line.RootElement.GetProperty("label").GetString());
        }
        Assert.Equal(3, expected.Select(e => e.PredictedLabel).Distinct().Count());
    }

    [Fact]
    public void Loaded_again_it_adds_the_same_columns_and_predicts_row_by_row()
    {
        var data = photos.Load(ml);
        var model = Classifier(ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder)).Fit(data);
        ml.Model.Save(model, data.Schema, ModelPath);
        var loaded = ml.Model.Load(ModelPath, out var schema);

        Assert.Equal(Visible(model.GetOutputSchema(data.Schema)), Visible(loaded.GetOutputSchema(data.Schema)));
        Assert.Contains(schema, c => c.Name == "ImagePath");
        using var before = ml.Model.CreatePredictionEngine<ShapePhotos.Row, ShapePhotos.Prediction>(model);
        using var after = ml.Model.CreatePredictionEngine<ShapePhotos.Row, ShapePhotos.Prediction>(loaded);
        foreach (var row in photos.Rows)
        {
            var (expected, actual) = (before.Predict(row), after.Predict(row));
            AssertClose(expected.Features, actual.Features);
            Assert.Equal(expected.PredictedLabel, actual.PredictedLabel);
        }
        (loaded as IDisposable)?.Dispose();

        static IEnumerable<string> Visible(DataViewSchema s) => s.Where(c => !c.IsHidden).Select(c => c.Name).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("nowhere.png")]
    public void Loaded_again_it_stops_at_a_row_without_an_image(string? path)
    {
        ml.Model.Save(ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(photos.Load(ml)), photos.Load(ml).Schema, ModelPath);
        var loaded = ml.Model.Load(ModelPath, out _);
        using var engine = ml.Model.CreatePredictionEngine<ShapePhotos.Row, ShapePhotos.Embedded>(loaded);
        float[] expected = engine.Predict(photos.Rows[0]).Features;
        var fault = Assert.ThrowsAny<Exception>(() => engine.Predict(new() { ImagePath = path! }));
        Assert.Contains(path is "nowhere.png" ? "nowhere.png" : "no image: the path is empty", fault.ToString());
        AssertClose(expected, engine.Predict(photos.Rows[0]).Features);
        photos.Rows[4].ImagePath = path!;
        Assert.ThrowsAny<Exception>(() => loaded.Transform(photos.Load(ml)).GetColumn<float[]>("Features").ToArray());
        Assert.DoesNotContain(loaded.GetOutputSchema(photos.Load(ml).Schema), column => column.Name.StartsWith('_') && !column.IsHidden);
    }

    [Fact]
    public void Columns_of_the_users_that_have_the_names_of_the_graph_stay()
    {
        var data = photos.Load(ml);
        var pipeline = ml.Transforms.CopyColumns("pixels", "Label").Append(ml.Transforms.CopyColumns("features", "Label"))
            .Append(ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder));
        ml.Model.Save(pipeline.Fit(data), data.Schema, ModelPath);
        var view = ml.Model.Load(ModelPath, out _).Transform(data);
        Assert.Equal(photos.Rows.Select(r => r.Label), view.GetColumn<string>("features"));
        Assert.Equal(photos.Rows.Select(r => r.Label), view.GetColumn<string>("pixels"));
    }

    [Theory]
    [InlineData("Encoded", false, "Column 'Encoded' holds encoded files")]
    [InlineData("ImagePath", true, "ApplyOrientation is true; to save the model it must be false")]
    public void What_ML_NET_has_no_transformer_for_is_refused(string column, bool applyOrientation, string message)
    {
        var data = photos.Load(ml);
        var model = ml.SelfSupervised().EmbedImages(encoder, new() { InputColumnName = column, ApplyOrientation = applyOrientation }).Fit(data);
        Assert.Contains(message, Assert.ThrowsAny<Exception>(() => ml.Model.Save(model, data.Schema, new MemoryStream())).ToString());
    }

    private IEstimator<ITransformer> Classifier(IEstimator<ITransformer> embed) => embed
        .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l2Regularization: 0.01f))
        .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

    private static float[] Numbers(JsonDocument line, string name) => line.RootElement.GetProperty(name).EnumerateArray().Select(v => v.GetSingle()).ToArray();

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4f);
    }

    public void Dispose()
    {
        photos.Dispose();
        encoder.Dispose();
        folder.Dispose();
    }
}
