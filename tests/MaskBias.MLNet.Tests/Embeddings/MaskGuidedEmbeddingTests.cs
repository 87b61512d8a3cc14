using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.Embeddings;

public sealed class MaskGuidedEmbeddingTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 2);

    [Fact]
    public void A_plain_encoder_takes_no_masks()
    {
        using var plain = TinyEncoders.Plain();
        var error = Assert.Throws<ArgumentException>(() => ml.SelfSupervised().EmbedImages(plain, new() { MaskColumnName = "Masks" }));
        Assert.Contains("MaskColumnName is \"Masks\"; the encoder has no mask-guided attention bias", error.Message);
    }

    [Fact]
    public void Masks_reach_the_encoder_row_by_row_and_rows_may_differ_in_their_number()
    {
        using var encoder = TinyEncoders.MaskGuided();
        var data = photos.Load(ml);
        var without = Embed(masks: null);
        var with = Embed((encoded, width, height, region, patches) =>
        {
            Assert.Equal(IsoCrop.Region(width, height, 32), region);
            Assert.Equal(4, patches);
            int count = encoded.Length % 3;                     // 0, 1 or 2 masks of the left half
            return Enumerable.Range(0, count * 16).Select(i => i % 4 < 2 ? 1f : 0f).ToArray();
        });
        for (int i = 0; i < photos.Rows.Count; i++)
        {
            double difference = with[i].Zip(without[i], (a, b) => Math.Abs(a - b)).Max();
            if (photos.Rows[i].Encoded.Length % 3 == 0) Assert.True(difference < 1e-5, $"row {i} has no masks but differs by {difference}");
            else Assert.True(difference > 1e-5, $"row {i} has masks but differs by only {difference}");
        }

        float[][] Embed(MaskTokenReader? masks)
        {
            var options = new ImageEmbeddingOptions { InputColumnName = "ImagePath", MaskColumnName = masks is null ? null : "Encoded", BatchSize = 4 };
            return new ImageEmbeddingEstimator(ml, encoder, options, masks).Fit(data).Transform(data).GetColumn<float[]>("Features").ToArray();
        }
    }

    [Fact]
    public void The_options_say_which_masks_count()
    {
        using var encoder = TinyEncoders.MaskGuided();
        var data = photos.Load(ml);
        var masked = ml.SelfSupervised().SegmentImages("Masks", "ImagePath").Fit(data).Transform(data);
        var without = Embed(masks: null);
        Assert.NotEqual(without, Embed(new()));
        Assert.Equal(without, Embed(new() { MinPatches = 10_000 }));              // none is that large

        float[][] Embed(MaskTokenOptions? masks)
        {
            var options = new ImageEmbeddingOptions { InputColumnName = "ImagePath", MaskColumnName = masks is null ? null : "Masks", Masks = masks ?? new() };
            options.ApplyOrientation = true;
            return ml.SelfSupervised().EmbedImages(encoder, options).Fit(masked).Transform(masked).GetColumn<float[]>("Features").ToArray();
        }
    }

    [Fact]
    public void Errors_in_masks_name_the_row_and_the_column()
    {
        using var encoder = TinyEncoders.MaskGuided();
        var data = photos.Load(ml);
        MaskTokenReader broken = (_, _, _, _, _) => throw new InvalidDataException("the masks are 3x4, the image is 40x44.");
        var options = new ImageEmbeddingOptions { InputColumnName = "ImagePath", MaskColumnName = "Encoded" };
        var view = new ImageEmbeddingEstimator(ml, encoder, options, broken).Fit(data).Transform(data);
        var error = Assert.ThrowsAny<Exception>(() => view.GetColumn<float[]>("Features").ToArray());
        Assert.Contains("Row 0, column 'Encoded': the masks are 3x4", error.ToString());

        options.MaskColumnName = "Label";
        var wrong = Assert.Throws<ArgumentException>(() => new ImageEmbeddingEstimator(ml, encoder, options, broken).Fit(data));
        Assert.Contains("Column 'Label' is String; a column of masks must be a vector of Byte (an encoded MaskSet", wrong.Message);
    }

    [Fact]
    public void It_refuses_to_be_saved_and_names_the_ways_on()
    {
        using var encoder = TinyEncoders.MaskGuided();
        var data = photos.Load(ml);
        var model = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(data);
        var error = Assert.ThrowsAny<Exception>(() => ml.Model.Save(model, data.Schema, new MemoryStream()));
        Assert.Contains("SelfSupervised().Distill", error.ToString());
        Assert.Contains("EncoderCheckpoint.Save", error.ToString());
    }

    public void Dispose() => photos.Dispose();
}
