using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.Weights.Onnx;

/// <summary>The exported encoder as a step of an ML.NET pipeline, as saved models contain it.</summary>
public sealed class OnnxInPipelineTests
{
    [Fact]
    public void Explore()
    {
        var ml = new MLContext(1);
        using var encoder = OnnxEncoderTests.Scrambled(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 12, Depth = 2, Heads = 3 });
        byte[] onnx = OnnxEncoder.Export(encoder);
        var data = Rows(ml, 16);
        foreach (var (name, shapes) in new (string, Dictionary<string, int[]>?)[]
        {
            ("none", null), ("feat 1", new() { ["features"] = [1, 12] }), ("both", new() { ["pixels"] = [1, 3, 16, 16], ["features"] = [1, 12] }),
        })
        {
            var estimator = shapes is null ? ml.Transforms.ApplyOnnxModel(new MemoryStream(onnx)) : ml.Transforms.ApplyOnnxModel(new MemoryStream(onnx), shapes);
            var output = estimator.Fit(data).Transform(data);
            var col = output.Schema["features"];
            int n = 0;
            string shape = "";
            foreach (var r in output.GetColumn<VBuffer<float>>("features")) { n++; shape = $"{r.Length}"; }
            TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {col.Type} known={((VectorDataViewType)col.Type).IsKnownSize} rows {n} of length {shape}");
            try
            {
                var shapeOut = estimator.GetOutputSchema(SchemaShapeOf(data));
                TestContext.Current.TestOutputHelper?.WriteLine("   schema shape: " + shapeOut.First(c => c.Name == "features").Kind);
                var t = estimator.Append(ml.Transforms.NormalizeMinMax("features")).Fit(data);
                TestContext.Current.TestOutputHelper?.WriteLine("   normalize ok");
            }
            catch (Exception e) { TestContext.Current.TestOutputHelper?.WriteLine("   " + e.Message); }
        }
    }

    private static SchemaShape SchemaShapeOf(IDataView data) => new EstimatorChain<ITransformer>().GetOutputSchema(SchemaShapeCreate(data));
    private static SchemaShape SchemaShapeCreate(IDataView data) => (SchemaShape)typeof(SchemaShape).GetMethod("Create", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.Invoke(null, [data.Schema])!;

    private static IDataView Rows(MLContext ml, int size)
    {
        var random = new Random(4);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema["pixels"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3 * size * size);
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, 5).Select(_ => new Row { Pixels = Enumerable.Range(0, 3 * size * size).Select(_ => (float)random.Next(256)).ToArray() }).ToList(), schema);
    }

    private sealed class Row
    {
        [ColumnName("pixels")]
        public float[] Pixels { get; set; } = [];
    }
}
