using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;
using static Microsoft.ML.SchemaShape.Column;

namespace MaskBias.MLNet.Tests.Pretraining;

/// <summary>Columns that are missing or of the wrong type, on every estimator, in Fit and in a pipeline's schema alike.</summary>
public sealed class BadColumnsTests(SceneFolder scenes) : IClassFixture<SceneFolder>
{
    private static readonly SchemaShape Shape = new(
    [
        MlNetAccess.NewColumn("ImagePath", VectorKind.Scalar, TextDataViewType.Instance, isKey: false),
        MlNetAccess.NewColumn("Masks", VectorKind.VariableVector, NumberDataViewType.Byte, isKey: false),
        MlNetAccess.NewColumn("Number", VectorKind.Scalar, NumberDataViewType.Single, isKey: false),
    ]);

    private readonly MLContext ml = new(1);

    public static TheoryData<string> Estimators => ["Dino", "Mae", "Distill", "EmbedImages", "SegmentImages"];

    [Theory]
    [MemberData(nameof(Estimators))]
    public void A_missing_image_column_is_named_with_those_there_are(string estimator)
    {
        const string expected = "There is no column 'Foto' to read images from; the columns are 'ImagePath', 'Masks', 'Number'.";
        Check(estimator, "Foto", masks: null, expected);
    }

    [Theory]
    [MemberData(nameof(Estimators))]
    public void A_column_that_cannot_hold_images_is_named_with_its_type(string estimator)
    {
        const string expected =
            "Column 'Number' is Single; a column of images must be Text (a path), a vector of Byte (an encoded file) or Image.";
        Check(estimator, "Number", masks: null, expected);
    }

    [Theory]
    [InlineData("Dino")]
    [InlineData("Mae")]
    [InlineData("Distill")]
    [InlineData("EmbedImages")]
    public void Mask_columns_are_checked_too(string estimator)
    {
        Check(estimator, "ImagePath", "Regions",
            "There is no column 'Regions' to read masks from; the columns are 'ImagePath', 'Masks', 'Number'.");
        Check(estimator, "ImagePath", "Number",
            "Column 'Number' is Single; a column of masks must be a vector of Byte (an encoded MaskSet");
    }

    [Fact]
    public void Nearest_neighbours_check_features_and_classes()
    {
        var data = ml.Data.LoadFromEnumerable([new Point(), new Point()]);
        Assert.Contains("There is no column 'Embedding' to read features from", Fault("Label", "Embedding"));
        Assert.Contains("Column 'Label' is String; a column of features must be a vector of Single", Fault("Label", "Label"));
        Assert.Contains("There is no column 'Class' to read classes from", Fault("Class", "Features"));
        Assert.Contains("Column 'Label' is String; a column of classes must be Key<UInt32>: append MapValueToKey(\"Label\")",
            Fault("Label", "Features"));
        Assert.Contains("K is 0; it must lie in [1, 1000].",
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().NearestNeighbors(k: 0)).Message);

        string Fault(string label, string features) =>
            Assert.Throws<ArgumentException>(() => ml.SelfSupervised().NearestNeighbors(label, features).Fit(data)).Message;
    }

    [Fact]
    public void Few_images_are_segmented_embedded_and_classified()
    {
        using var encoder = TinyTraining.Teacher();
        var self = ml.SelfSupervised();
        foreach (int count in new[] { 0, 1 })
        {
            var data = ml.Data.LoadFromEnumerable(scenes.Rows().Take(count));
            Assert.Equal(count, self.SegmentImages("Found", "ImagePath").Fit(data).Transform(data).GetColumn<byte[]>("Found").Count());
            Assert.Equal(count, self.EmbedImages("Features", "ImagePath", encoder)
                .Fit(data).Transform(data).GetColumn<float[]>("Features").Count());
        }
        // every class of the folder has one image
        var folder = scenes.Load(ml);
        var classifier = self.EmbedImages("Features", "ImagePath", encoder)
            .Append(ml.Transforms.Conversion.MapValueToKey("Label")).Append(self.NearestNeighbors(k: 1));
        var predicted = classifier.Fit(folder).Transform(folder);
        Assert.Equal(1, ml.MulticlassClassification.Evaluate(predicted).MacroAccuracy);

        var none = ml.Data.LoadFromEnumerable(Array.Empty<ImageFolderRow>());
        Assert.Contains("There is no training row with a class", Assert.Throws<ArgumentException>(() => classifier.Fit(none)).Message);
    }

    [Fact]
    public void Unreadable_files_name_their_row_or_give_missing_values()
    {
        using var broken = new TempFolder();
        using var encoder = TinyTraining.Teacher();
        var rows = scenes.Rows();
        rows[1].ImagePath = broken.Write("zero.png", []);
        var data = ml.Data.LoadFromEnumerable(rows);
        string expected = $"Row 1, column 'ImagePath': '{rows[1].ImagePath}' is empty (0 bytes).";

        var strict = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(data).Transform(data);
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => strict.GetColumn<float[]>("Features").Count()).ToString());
        var lenient = ml.SelfSupervised().EmbedImages(encoder,
            new() { InputColumnName = "ImagePath", OnUnreadableImage = UnreadableImage.MissingValue });
        var features = lenient.Fit(data).Transform(data).GetColumn<float[]>("Features").ToList();
        Assert.All(features[1], value => Assert.True(float.IsNaN(value)));
        Assert.All(features[2], value => Assert.True(float.IsFinite(value)));

        Assert.Empty(ml.SelfSupervised().SegmentImages("Found", "ImagePath")
            .Fit(data).Transform(data).GetColumn<byte[]>("Found").ElementAt(1));
        var segments = ml.SelfSupervised().SegmentImages(new() { OutputColumnName = "Found", OnUnreadableImage = UnreadableImage.Throw })
            .Fit(data).Transform(data);
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => segments.GetColumn<byte[]>("Found").Count()).ToString());
    }

    private void Check(string estimator, string images, string? masks, string expected)
    {
        using var encoder = TinyTraining.Teacher(maskGuided: masks is not null);
        var data = scenes.LoadWithMasks(ml);
        var (fit, shape) = Create();
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => fit(data)).Message);
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => shape(Shape)).Message);

        (Action<IDataView> Fit, Func<SchemaShape, SchemaShape> Shape) Create()
        {
            var self = ml.SelfSupervised();
            switch (estimator)
            {
                case "Dino":
                    var dino = self.Dino(TinyTraining.Dino().With(o => (o.ImageColumnName, o.MaskColumnName) = (images, masks)));
                    return (d => dino.Fit(d), dino.GetOutputSchema);
                case "Mae":
                    var mae = self.Mae(TinyTraining.Mae().With(o => (o.ImageColumnName, o.MaskColumnName) = (images, masks)));
                    return (d => mae.Fit(d), mae.GetOutputSchema);
                case "Distill":
                    var distill = self.Distill(encoder,
                        TinyTraining.Distillation().With(o => (o.ImageColumnName, o.MaskColumnName) = (images, masks)));
                    return (d => distill.Fit(d), distill.GetOutputSchema);
                case "EmbedImages":
                    var embed = self.EmbedImages(encoder, new() { InputColumnName = images, MaskColumnName = masks });
                    return (d => embed.Fit(d), embed.GetOutputSchema);
                default:
                    var segment = self.SegmentImages("Found", images);
                    return (d => segment.Fit(d), segment.GetOutputSchema);
            }
        }
    }

    private sealed class Point
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [1, 2];

        public string Label { get; set; } = "a";
    }
}
