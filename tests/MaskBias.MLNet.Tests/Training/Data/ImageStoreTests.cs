using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training.Data;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Training.Data;

/// <summary>However a row holds its image, training sees the same.</summary>
public sealed class ImageStoreTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new();
    private readonly List<Row> rows = [];

    public ImageStoreTests()
    {
        for (int i = 0; i < 6; i++)
        {
            var (width, height) = (70 + 9 * i, 120 - 11 * i);               // larger than training keeps them
            byte[] png = SceneFolder.Png(width, height);
            rows.Add(new() { ImagePath = folder.Write($"{i}.png", png), Encoded = png,
                Masks = SceneFolder.Halves(height, width).Encode() });
        }
    }

    [Fact]
    public void Paths_encoded_files_and_decoded_images_train_alike()
    {
        var data = ml.Data.LoadFromEnumerable(rows);
        var withImages = ml.Transforms.LoadImages("Image", null, "ImagePath").Fit(data).Transform(data);
        var expected = Train("ImagePath");
        TinyTraining.AssertSame(expected, Train("Encoded"));
        TinyTraining.AssertSame(expected, Train("Image"));

        Dictionary<string, float[]> Train(string column)
        {
            using var model = ml.SelfSupervised().Dino(TinyTraining.MaskedDino().With(o =>
                (o.ImageColumnName, o.MaskBias.InitialValue) = (column, 1))).Fit(withImages);
            return TinyTraining.Weights(model.Encoder);
        }
    }

    [Theory]
    [InlineData("ImagePath")]
    [InlineData("Image")]
    public void Large_images_are_kept_small_and_their_true_size_is_known(string column)
    {
        var data = ml.Data.LoadFromEnumerable(rows);
        var withImages = ml.Transforms.LoadImages("Image", null, "ImagePath").Fit(data).Transform(data);
        using var store = ImageStore.Load(withImages, TinyTraining.MaskedDino().With(o => o.ImageColumnName = column),
            maxShortSide: 32, Assert.Fail);
        for (int i = 0; i < store.Count; i++)
        {
            Assert.Equal((120 - 11 * i, 70 + 9 * i), (store[i].Height, store[i].Width));
            Assert.Equal(32, Math.Min(store.Pixels(i).Height, store.Pixels(i).Width));
        }
    }

    [Fact]
    public void A_batch_is_padded_in_blocks_that_a_wide_image_does_not_widen()
    {
        RgbImage[] images = [Ones(32, 40), Ones(32, 32), Ones(32, 900_000), Ones(40, 32)];
        var blocks = PixelBlock.Cut(images, pinned: false);
        Assert.Equal([(0, 2, 32, 40), (2, 1, 32, 900_000), (3, 1, 40, 32)],
            blocks.Select(b => (b.First, b.Sizes.Count, b.Height, b.Width)));
        var first = blocks[0].Pixels.bytes;
        Assert.Equal(2 * 32 * 40 * 3, first.Length);
        Assert.Equal(1, first[40 * 3 - 1]);
        Assert.Equal((1, 0), (first[(32 * 40 + 31) * 3], first[(32 * 40 + 32) * 3]));        // the second image ends, its padding begins
        foreach (var block in blocks) block.Dispose();
    }

    public void Dispose() => folder.Dispose();

    private static RgbImage Ones(int height, int width)
    {
        var pixels = new byte[3 * height * width];
        pixels.AsSpan().Fill(1);
        return new(height, width, pixels);
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public byte[] Encoded { get; set; } = [];

        public byte[] Masks { get; set; } = [];
    }
}
