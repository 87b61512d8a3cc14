using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Tests.Embeddings;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.NearestNeighbors;

public class NearestNeighborsEstimatorTests
{
    private readonly MLContext ml = new(1);

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];

        public string Class { get; set; } = "";
    }

    // b is the first key, a the second: keys come in the order of their appearance
    private static readonly Row[] Rows =
    [
        new() { Features = [0, 1], Label = "b" }, new() { Features = [1, 0], Label = "a" }, new() { Features = [0.1f, 1], Label = "b" },
        new() { Features = [1, 0.1f], Label = "a" }, new() { Features = [float.NaN, 1], Label = "a" }, new() { Features = [1, 1], Label = "" },
    ];

    [Fact]
    public void It_evaluates_and_predicts_as_a_multiclass_trainer_of_ML_NET()
    {
        var data = ml.Data.LoadFromEnumerable(Rows[..4]);
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(ml.SelfSupervised().NearestNeighbors(new NearestNeighborsOptions { K = 2 }))
            .Append(ml.Transforms.Conversion.MapKeyToValue("Class", "PredictedLabel"));
        var model = pipeline.Fit(data);
        var scored = model.Transform(data);

        var metrics = ml.MulticlassClassification.Evaluate(scored);
        Assert.Equal(1, metrics.MicroAccuracy);
        Assert.Equal(2, metrics.PerClassLogLoss.Count);
        Assert.Contains("b", metrics.ConfusionMatrix.GetFormattedConfusionTable());
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["Score"].Annotations.GetValue("SlotNames", ref names);
        Assert.Equal(["b", "a"], names.DenseValues().Select(n => n.ToString()));

        using var engine = ml.Model.CreatePredictionEngine<Row, Prediction>(model);
        var prediction = engine.Predict(new Row { Features = [3, 0.2f] });
        Assert.Equal("a", prediction.Class);
        Assert.Equal([0, 1], prediction.Score);
    }

    [Fact]
    public void It_composes_with_embeddings_and_cross_validation()
    {
        using var photos = new ShapePhotos(perClass: 8);
        using var encoder = TinyEncoders.Plain();
        var pipeline = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder)
            .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
            .AppendCacheCheckpoint(ml)
            .Append(ml.SelfSupervised().NearestNeighbors(k: 3));
        var folds = ml.MulticlassClassification.CrossValidate(photos.Load(ml), pipeline, numberOfFolds: 2, seed: 1);
        Assert.All(folds, fold => Assert.True(fold.Metrics.MicroAccuracy > 0.6));
    }

    [Fact]
    public void Rows_without_class_or_features_do_not_vote_and_features_of_NaN_get_no_class()
    {
        var data = ml.Data.LoadFromEnumerable(Rows);
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        var scored = ml.SelfSupervised().NearestNeighbors(k: 1000).Fit(keyed).Transform(keyed);
        uint[] predicted = scored.GetColumn<uint>("PredictedLabel").ToArray();
        Assert.Equal([1u, 2u, 1u, 2u, 0u], predicted[..5]);
        var middle = scored.GetColumn<float[]>("Score").Last();
        Assert.Equal(0.5, middle[0], 1e-3);              // two of each: the fifth row has not voted, nor the last for itself
    }

    [Theory]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.NaN)]
    public void Features_that_are_not_finite_do_not_vote_and_get_no_class(float value)
    {
        // The first k rows are neighbours until nearer ones come.
        var data = ml.Data.LoadFromEnumerable([new() { Features = [1, value], Label = "b" }, .. Rows[..4]]);
        var keyed = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        var scored = ml.SelfSupervised().NearestNeighbors(k: 2).Fit(keyed).Transform(keyed);
        Assert.Equal([0u, 1u, 2u, 1u, 2u], scored.GetColumn<uint>("PredictedLabel"));
        float[][] scores = [.. scored.GetColumn<float[]>("Score")];
        Assert.All(scores[0], score => Assert.Equal(float.NaN, score));
        Assert.All(scores[1..].SelectMany(s => s), score => Assert.InRange(score, 0, 1));
    }

    [Theory]
    [InlineData(1, 0.07)]
    [InlineData(3, 0.07)]
    [InlineData(20, 0.5)]
    public void Saved_it_is_transformers_of_ML_NET_that_give_the_same_votes(int k, double temperature)
    {
        using var photos = new ShapePhotos(perClass: 8);
        using var encoder = TinyEncoders.Plain();
        var data = photos.Load(ml);
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder))
            .Append(ml.SelfSupervised().NearestNeighbors(new NearestNeighborsOptions { K = k, Temperature = temperature }))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var model = pipeline.Fit(data);
        using var stream = new MemoryStream();
        ml.Model.Save(model, data.Schema, stream);
        var loaded = ml.Model.Load(stream, out _);
        IDataView expected = model.Transform(data), actual = loaded.Transform(data);
        Assert.Equal(expected.GetColumn<string>("PredictedLabel"), actual.GetColumn<string>("PredictedLabel"));
        Assert.All(Pairs.Of(expected.GetColumn<float[]>("Score"), actual.GetColumn<float[]>("Score")),
            s => Assert.All(Pairs.Of(s.First, s.Second), v => Assert.Equal(v.First, v.Second, 1e-4f)));
        Assert.Null(actual.Schema.GetColumnOrNull("__Features.votes"));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var data = ml.Data.LoadFromEnumerable(Rows);
        var knn = ml.SelfSupervised();
        Assert.Contains("append MapValueToKey(\"Label\")", Assert.Throws<ArgumentException>(() => knn.NearestNeighbors().Fit(data)).Message);
        Assert.Contains("There is no column 'X'", Assert.Throws<ArgumentException>(() => knn.NearestNeighbors("Label", "X").Fit(data)).Message);
        Assert.Contains("Column 'Label' is String; a column of features must be", Assert.Throws<ArgumentException>(() => knn.NearestNeighbors("Label", "Label").Fit(data)).Message);
        string message = Assert.Throws<ArgumentException>(() => knn.NearestNeighbors(new() { K = 0, Temperature = 0 })).Message;
        Assert.Contains("K is 0; it must lie in [1, 1000].", message);
        Assert.Contains("Temperature is 0; it must lie in [0.001, 1000].", message);
    }
}
