using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training.Data;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Data;

/// <summary>Views that are made with tensor operations, as for a CUDA device, are those that threads make on the processor.</summary>
public sealed class ViewLoaderTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_device_and_the_processor_see_the_same_views_and_masks(int localViews)
    {
        using var expected = Only(localViews, rendersOnProcessor: true);
        using var actual = Only(localViews, rendersOnProcessor: false);
        Assert.Equal(expected.Rows, actual.Rows);
        Same(expected.Global, actual.Global);
        if (localViews == 0) Assert.Null(actual.Local);
        else Same(expected.Local!, actual.Local!);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Masks_of_the_global_views_alone_change_no_view(bool rendersOnProcessor)
    {
        using var expected = Only(2, rendersOnProcessor);
        using var actual = Only(2, rendersOnProcessor, sizes => sizes with { MasksLocalViews = false });
        Near.Equal(expected.Global.Images, actual.Global.Images, 0, "global views");
        Near.Equal(expected.Global.MaskTokens!, actual.Global.MaskTokens!, 0, "mask token vectors");
        Near.Equal(expected.Local!.Images, actual.Local!.Images, 0, "local views");
        Assert.NotNull(expected.Local.MaskTokens);
        Assert.Null(actual.Local.MaskTokens);
    }

    public void Dispose() => folder.Dispose();

    private ViewBatch Only(int localViews, bool rendersOnProcessor, Func<ViewSizes, ViewSizes>? change = null)
    {
        var rows = Enumerable.Range(0, 5).Select(i => (Height: 40 - 5 * i, Width: 20 + 7 * i)).Select((size, i) => new Row
        {
            ImagePath = folder.Write($"{i}.png", SceneFolder.Png(size.Width, size.Height)),
            Masks = SceneFolder.Halves(size.Height, size.Width).Encode(),
        });
        var options = TinyTraining.MaskedDino().With(o => (o.Views, o.Encoder) = (TinyTraining.Views(localViews), TinyTraining.Encoder(imageSize: 32)));
        var sizes = ViewSizes.For(options.Views, options.Encoder);
        if (change is not null) sizes = change(sizes);
        using var encoder = TinyTraining.Teacher();
        using var store = ImageStore.Load(new MLContext(1).Data.LoadFromEnumerable(rows), options, sizes.KeptSide, Assert.Fail);
        return Assert.Single(
            new ViewLoader(store, options, sizes, encoder, 5, parts: 1, seed: 1, Assert.Fail, rendersOnProcessor: rendersOnProcessor)
                .Epoch(0, CancellationToken.None));
    }

    private static void Same(ViewGroup expected, ViewGroup actual)
    {
        Near.Equal(expected.Images, actual.Images, 2e-3, "views");
        Near.Equal(expected.MaskTokens!, actual.MaskTokens!, 0, "mask token vectors");
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public byte[] Masks { get; set; } = [];
    }
}
