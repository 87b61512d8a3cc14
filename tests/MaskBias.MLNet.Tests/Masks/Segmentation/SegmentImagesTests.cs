using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks.Segmentation;
using MaskBias.MLNet.Tests.Embeddings;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MaskBias.MLNet.Tests.Masks.Segmentation;

public sealed class SegmentImagesTests : IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly ShapePhotos photos = new(perClass: 3);
    private int calls;

    [Theory]
    [InlineData("ImagePath")]
    [InlineData("Encoded")]
    [InlineData("Image")]
    public void Each_rows_masks_come_from_its_image_and_only_when_asked_for(string column)
    {
        var data = photos.LoadWithImages(ml);
        var view = Estimator(column).Fit(data).Transform(data);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Byte), view.Schema["Masks"].Type);

        Assert.Equal(photos.Rows.Count, view.GetColumn<string>("Label").Count());
        Assert.Equal(0, calls);
        Assert.Equal(photos.Rows.Select(r => Segment(ImageDecoder.Decode(r.Encoded, "x"))), view.GetColumn<byte[]>("Masks"));
        Assert.Equal(2 * photos.Rows.Count, calls);
    }

    [Fact]
    public void Masks_cache_and_save_as_plain_data()
    {
        var data = photos.Load(ml);
        var view = Estimator("ImagePath").Append(ml.Transforms.CopyColumns("Copy", "Masks")).AppendCacheCheckpoint(ml).Fit(data).Transform(data);
        using var file = new MemoryStream();
        ml.Data.SaveAsBinary(view, file);
        using var folder = new TempFolder();
        var loaded = ml.Data.LoadFromBinary(folder.Write("masks.idv", file.ToArray()));
        Assert.Equal(view.GetColumn<byte[]>("Masks"), loaded.GetColumn<byte[]>("Copy"));
    }

    [Fact]
    public void Unreadable_images_are_errors_or_have_no_masks()
    {
        photos.Rows[1].ImagePath = "nowhere.png";
        var data = photos.Load(ml);
        var view = new SegmentImagesEstimator(new() { OnUnreadableImage = UnreadableImage.Throw }, Segment).Fit(data).Transform(data);
        Assert.Contains("Row 1, column 'ImagePath': 'nowhere.png' does not exist", Assert.ThrowsAny<Exception>(() => view.GetColumn<byte[]>("Masks").ToArray()).ToString());

        var lenient = Estimator("ImagePath").Fit(data).Transform(data);
        Assert.Empty(lenient.GetColumn<byte[]>("Masks").ElementAt(1));
    }

    [Fact]
    public void It_refuses_to_be_saved()
    {
        var data = photos.Load(ml);
        var model = Estimator("ImagePath").Fit(data);
        Assert.Contains("SaveAsBinary", Assert.ThrowsAny<Exception>(() => ml.Model.Save(model, data.Schema, new MemoryStream())).ToString());
    }

    private SegmentImagesEstimator Estimator(string column) => new(new() { InputColumnName = column }, Segment);

    private byte[] Segment(RgbImage image)
    {
        Interlocked.Increment(ref calls);
        return [.. image.Pixels[..(image.Width % 7 + 3)], (byte)image.Width, (byte)image.Height];
    }

    public void Dispose() => photos.Dispose();
}
