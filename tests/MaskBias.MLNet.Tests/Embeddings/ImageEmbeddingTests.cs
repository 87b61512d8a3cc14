using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Tests.Images;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.Embeddings;

public sealed class ImageEmbeddingTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 4);
    private readonly VisionEncoder encoder = TinyEncoders.Plain();

    [Theory]
    [InlineData("ImagePath", 5)]
    [InlineData("ImagePath", 1)]
    [InlineData("Encoded", 5)]
    [InlineData("Image", 32)]
    [InlineData("Image", 5)]
    public void Features_are_the_encoders_own_for_every_kind_of_column(string column, int batchSize)
    {
        var data = photos.LoadWithImages(ml);
        var estimator = ml.SelfSupervised().EmbedImages(encoder, new() { InputColumnName = column, BatchSize = batchSize });
        var view = estimator.Fit(data).Transform(data);

        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, encoder.FeatureDim), view.Schema["Features"].Type);
        AssertClose(Expected(), Features(view));
    }

    [Fact]
    public void Features_tell_images_apart()
    {
        var expected = Expected();
        Assert.All(expected.Skip(1), row => Assert.True(row.Zip(expected[0], (a, b) => Math.Abs(a - b)).Max() > 0.05));
    }

    [Fact]
    public void PredictionEngine_gives_what_Transform_gives()
    {
        var data = photos.Load(ml);
        var pipeline = ml.Transforms.LoadImages("Image", null, "ImagePath").Append(ml.SelfSupervised().EmbedImages("Features", "Image", encoder));
        var model = pipeline.Fit(data);
        var expected = Features(model.Transform(data));
        using var engine = ml.Model.CreatePredictionEngine<ShapePhotos.Row, ShapePhotos.Embedded>(model);
        AssertClose(expected, photos.Rows.Select(row => engine.Predict(row).Features).ToArray());
    }

    [Fact]
    public void Parallel_cursors_give_the_features_of_one()
    {
        var data = ml.Data.Cache(photos.Load(ml));
        var view = ml.SelfSupervised().EmbedImages(encoder, new() { InputColumnName = "ImagePath", BatchSize = 3 }).Fit(data).Transform(data);
        var byPath = photos.Rows.Select(r => r.ImagePath).Zip(Expected()).ToDictionary(p => p.First, p => p.Second);
        int rows = 0;
        Parallel.ForEach(view.GetRowCursorSet(view.Schema, 4), cursor =>
        {
            using var _ = cursor;
            var path = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["ImagePath"]);
            var features = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
            ReadOnlyMemory<char> name = default;
            VBuffer<float> value = default;
            while (cursor.MoveNext())
            {
                path(ref name);
                features(ref value);
                AssertClose([byPath[name.ToString()]], [value.DenseValues().ToArray()]);
                Interlocked.Increment(ref rows);
            }
        });
        Assert.Equal(photos.Rows.Count, rows);
    }

    [Fact]
    public void No_image_is_read_when_the_features_are_not_asked_for()
    {
        photos.Rows[0].ImagePath = "missing.png";
        var data = photos.Load(ml);
        var view = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(data).Transform(data);
        Assert.Equal(photos.Rows.Select(r => r.Label), view.GetColumn<string>("Label"));
    }

    [Fact]
    public void Trainers_cross_validation_cache_and_evaluation_work_behind_it()
    {
        var data = photos.Load(ml);
        var pipeline = ml.Transforms.LoadImages("Image", null, "ImagePath")
            .Append(ml.SelfSupervised().EmbedImages("Features", "Image", encoder))
            .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
            .AppendCacheCheckpoint(ml)
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l2Regularization: 0.01f));

        var metrics = ml.MulticlassClassification.Evaluate(pipeline.Fit(data).Transform(data));
        Assert.Equal(1, metrics.MicroAccuracy);          // colour alone decides
        using var more = new ShapePhotos(perClass: 12);
        var folds = ml.MulticlassClassification.CrossValidate(more.Load(ml), pipeline, numberOfFolds: 2, seed: 1);
        Assert.All(folds, fold => Assert.True(fold.Metrics.MicroAccuracy > 0.6));
    }

    [Fact]
    public void Unreadable_images_name_the_row_the_column_and_the_file()
    {
        photos.Rows[5].ImagePath = Path.Combine(photos.Path, "nowhere.png");
        Assert.Contains($"Row 5, column 'ImagePath': '{photos.Rows[5].ImagePath}' does not exist", FindReadError(Catch(() => Embed("ImagePath"))));

        photos.Rows[5].ImagePath = photos.Rows[4].ImagePath;
        File.WriteAllBytes(photos.Rows[7].ImagePath, photos.Rows[7].Encoded[..200]);
        Assert.Contains($"Row 7, column 'ImagePath': '{photos.Rows[7].ImagePath}' is truncated", FindReadError(Catch(() => Embed("ImagePath"))));
        File.WriteAllBytes(photos.Rows[7].ImagePath, []);
        Assert.Contains("is empty (0 bytes)", FindReadError(Catch(() => Embed("ImagePath"))));

        photos.Rows[2].Encoded = [1, 2, 3];
        Assert.Contains("Row 2, column 'Encoded': the encoded image (3 bytes) is not an image", FindReadError(Catch(() => Embed("Encoded"))));
    }

    [Fact]
    public void Unreadable_images_may_be_missing_values_instead()
    {
        var expected = Expected();
        photos.Rows[5].ImagePath = "nowhere.png";
        photos.Rows[6].ImagePath = "";
        var features = Embed("ImagePath", UnreadableImage.MissingValue);
        Assert.All(features[5].Concat(features[6]), value => Assert.True(float.IsNaN(value)));
        AssertClose([.. expected[..5], .. expected[7..]], [.. features[..5], .. features[7..]]);
    }

    [Fact]
    public void Missing_and_wrong_columns_are_named_with_what_is_allowed()
    {
        var data = photos.Load(ml);
        var missing = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().EmbedImages("Features", "Photo", encoder).Fit(data));
        Assert.Equal("There is no column 'Photo' to read images from; the columns are 'ImagePath', 'Encoded', 'Label'.", missing.Message);

        var vectors = ml.Data.LoadFromEnumerable([new ShapePhotos.Embedded { Features = [1] }]);
        var wrong = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().EmbedImages("Out", "Features", encoder).Fit(vectors));
        Assert.Contains("Column 'Features' is Vector<Single>; a column of images must be Text (a path)", wrong.Message);

        // in a pipeline the mistake is found before anything is trained
        var chain = ml.Transforms.CopyColumns("Other", "Label").Append(ml.SelfSupervised().EmbedImages("Features", "Photo", encoder));
        Assert.Contains("There is no column 'Photo'", Assert.ThrowsAny<Exception>(() => chain.Fit(data)).ToString());
    }

    [Fact]
    public void An_encoder_that_was_disposed_says_so()
    {
        var data = photos.Load(ml);
        var gone = TinyEncoders.Plain();
        var model = ml.SelfSupervised().EmbedImages("Features", "ImagePath", gone).Fit(data);
        gone.Dispose();
        Assert.Contains("dispose it after them", Catch(() => Features(model.Transform(data))).ToString());
        using var stream = new MemoryStream();
        Assert.Contains("dispose it after them", Catch(() => ml.Model.Save(model, data.Schema, stream)).Message);
    }

    [Fact]
    public void A_transformer_that_was_disposed_says_so()
    {
        var data = photos.Load(ml);
        var embed = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder);
        var model = embed.Fit(data);
        var view = model.Transform(data);
        _ = Features(view);
        model.Dispose();
        model.Dispose();
        Assert.Contains("dispose it after everything that reads from it", Catch(() => Features(view)).ToString());
        var unused = embed.Fit(data);
        unused.Dispose();
        Assert.Contains("dispose it after everything that reads from it", Catch(() => Features(unused.Transform(data))).ToString());
    }

    [Fact]
    public void Options_out_of_range_are_listed_together()
    {
        var options = new ImageEmbeddingOptions { BatchSize = 0, InputColumnName = "" };
        string message = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().EmbedImages(encoder, options)).Message;
        Assert.Contains("BatchSize is 0; it must lie in [1, 4096].", message);
        Assert.Contains("InputColumnName is not set; it is required.", message);
    }

    private float[][] Embed(string column, UnreadableImage onUnreadable = UnreadableImage.Throw)
    {
        var data = photos.Load(ml);
        var options = new ImageEmbeddingOptions { InputColumnName = column, BatchSize = 3, OnUnreadableImage = onUnreadable };
        return Features(ml.SelfSupervised().EmbedImages(encoder, options).Fit(data).Transform(data));
    }

    // Straight from the bytes, one by one, without any data view.
    private float[][] Expected() => photos.Rows.Select(row =>
    {
        var pixels = new float[3 * 32 * 32];
        var features = new float[encoder.FeatureDim];
        IsoCropResizer.Resize(SampleImages.Decode(row.Encoded), 32, pixels);
        encoder.Embed(pixels, 1, features);
        return features;
    }).ToArray();

    private static float[][] Features(IDataView view) => view.GetColumn<float[]>("Features").ToArray();

    private static void AssertClose(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Length, actual[i].Length);
            for (int j = 0; j < expected[i].Length; j++) Assert.Equal(expected[i][j], actual[i][j], 1e-5f);
        }
    }

    private static Exception Catch(Action action) => Assert.ThrowsAny<Exception>(action);

    // ML.NET wraps what its worker threads throw.
    private static string FindReadError(Exception? error)
    {
        while (error is not null and not ImageReadException) error = error.InnerException;
        return Assert.IsType<ImageReadException>(error).Message;
    }

    public void Dispose()
    {
        photos.Dispose();
        encoder.Dispose();
    }
}
