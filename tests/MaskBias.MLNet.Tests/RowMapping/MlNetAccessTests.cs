using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Catalog;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.RowMapping;

/// <summary>ML.NET may change its internal constructors in any release: here it shows.</summary>
public class MlNetAccessTests
{
    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    [Fact]
    public void The_version_is_the_one_that_is_tested() => Assert.Equal((5, 0), (Version().Major, Version().Minor));

    [Fact]
    public void A_schema_shape_column_can_be_made()
    {
        var names = MlNetAccess.NewColumn("SlotNames", SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, isKey: false);
        var column = MlNetAccess.NewColumn("X", SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false, new SchemaShape([names]));
        Assert.Equal(("X", SchemaShape.Column.VectorKind.Vector, false), (column.Name, column.Kind, column.IsKey));
        Assert.Equal("SlotNames", Assert.Single(column.Annotations).Name);
    }

    [Fact]
    public void A_maximum_entropy_model_of_given_weights_scores_evaluates_and_saves()
    {
        var ml = new MLContext(1);
        Row[] rows = [new() { Features = [2, 0], Label = "left" }, new() { Features = [0, 3], Label = "right" }];
        var data = ml.Data.LoadFromEnumerable(rows);
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(data);
        var keyed = keys.Transform(data);

        VBuffer<float>[] weights = [new(2, [1, 0]), new(2, [0, 1])];
        var model = MlNetAccess.NewMaximumEntropy(ml, weights, [0.5f, 0], 2, 2, ["left", "right"], null);
        var head = MlNetAccess.NewMulticlassTransformer(ml, model, keyed.Schema, "Features", "Label");

        var score = head.Transform(keyed).GetColumn<float[]>("Score").First();
        Assert.Equal(1 / (1 + Math.Exp(-2.5)), score[0], 1e-6);
        Assert.Equal(1, ml.MulticlassClassification.Evaluate(head.Transform(keyed)).MicroAccuracy);

        using var file = new MemoryStream();
        ml.Model.Save(keys.Append(head), data.Schema, file);
        file.Position = 0;
        var loaded = ml.Model.Load(file, out _).Transform(data);
        Assert.Equal(score, loaded.GetColumn<float[]>("Score").First());
    }

    private static Version Version() => typeof(MLContext).Assembly.GetName().Version is { Major: > 1 } version
        ? version
        : System.Version.Parse(System.Diagnostics.FileVersionInfo.GetVersionInfo(typeof(MLContext).Assembly.Location).FileVersion!);
}
