using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.Weights.Onnx;

/// <summary>The exported encoder as a step of an ML.NET pipeline, as saved models contain it: no shapes need to be given.</summary>
public sealed class OnnxInPipelineTests : IDisposable
{
    private const int Size = 16, Width = 12;

    private readonly MLContext ml = new(seed: 1);
    private readonly VisionEncoder encoder =
        OnnxEncoderTests.Scrambled(new() { ImageSize = Size, PatchSize = 8, EmbedDim = Width, Depth = 2, Heads = 3 });
    private readonly List<Row> rows;
    private readonly IDataView data;

    public OnnxInPipelineTests()
    {
        var random = new Random(4);
        rows = Enumerable.Range(0, 12).Select(i => new Row
        {
            Pixels = Enumerable.Range(0, 3 * Size * Size).Select(_ => (float)random.Next(256)).ToArray(),
            Label = i % 2 == 0 ? "even" : "odd",
        }).ToList();
        data = ml.Data.LoadFromEnumerable(rows);
    }

    public void Dispose() => encoder.Dispose();

    [Fact]
    public void FeaturesAreAVectorOfKnownSize()
    {
        var output = Step().Fit(data).Transform(data);
        var type = Assert.IsType<VectorDataViewType>(output.Schema["features"].Type);
        Assert.Equal(NumberDataViewType.Single, type.ItemType);
        Assert.Equal([1, Width], type.Dimensions);             // ML.NET reads the batch dimension as 1
        AssertFeatures(output.GetColumn<float[]>("features"));
    }

    [Fact]
    public void TrainsSavesLoadsAndPredicts()
    {
        var pipeline = Step()
            .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "features"));
        using var zip = new MemoryStream();
        ml.Model.Save(pipeline.Fit(data), data.Schema, zip);
        var loaded = ml.Model.Load(zip, out _);

        AssertFeatures(loaded.Transform(data).GetColumn<float[]>("features"));
        using var engine = ml.Model.CreatePredictionEngine<Row, Prediction>(loaded);
        AssertFeatures(rows.Select(row => engine.Predict(row).Features));
        Assert.All(rows, row => Assert.Equal(2, engine.Predict(row).Score.Length));
    }

    [Fact]
    public void ColumnsTakeTheNamesOfTheExport()
    {
        byte[] onnx = OnnxEncoder.Export(encoder, new() { InputName = "Raw", OutputName = "Embedding" });
        var output = ml.Transforms.CopyColumns("Raw", "pixels").Append(ml.Transforms.ApplyOnnxModel("Embedding", "Raw", new MemoryStream(onnx)))
            .Fit(data).Transform(data);
        AssertFeatures(output.GetColumn<float[]>("Embedding"));
    }

    private IEstimator<ITransformer> Step() => ml.Transforms.ApplyOnnxModel(new MemoryStream(OnnxEncoder.Export(encoder)));

    private void AssertFeatures(IEnumerable<float[]> actual)
    {
        var expected = new float[rows.Count * Width];
        encoder.Embed(rows.SelectMany(r => r.Pixels).ToArray(), rows.Count, expected);
        float[] flat = actual.SelectMany(f => f).ToArray();
        Assert.Equal(expected.Length, flat.Length);
        Assert.InRange(expected.Zip(flat, (a, b) => Math.Abs(a - b)).Max(), 0, 1e-4f);
    }

    private sealed class Row
    {
        [ColumnName("pixels"), VectorType(3 * Size * Size)]
        public float[] Pixels { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class Prediction
    {
        [ColumnName("features")]
        public float[] Features { get; set; } = [];

        public float[] Score { get; set; } = [];
    }
}
