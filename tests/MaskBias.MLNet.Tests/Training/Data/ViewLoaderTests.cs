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
        var rows = Enumerable.Range(0, 5).Select(i => (Height: 40 - 5 * i, Width: 20 + 7 * i)).Select((size, i) => new Row
        {
            ImagePath = folder.Write($"{i}.png", SceneFolder.Png(size.Width, size.Height)),
            Masks = SceneFolder.Halves(size.Height, size.Width).Encode(),
        });
        var options = TinyTraining.MaskedDino().With(o => (o.Views, o.Encoder) = (TinyTraining.Views(localViews), TinyTraining.Encoder(imageSize: 32)));
        var sizes = ViewSizes.For(options.Views, options.Encoder);
        using var encoder = TinyTraining.Teacher();
        using var store = ImageStore.Load(new MLContext(1).Data.LoadFromEnumerable(rows), options, sizes.KeptSide, Assert.Fail);
        using var expected = Only(rendersOnProcessor: true);
        using var actual = Only(rendersOnProcessor: false);
        Assert.Equal(expected.Rows, actual.Rows);
        Same(expected.Global, actual.Global);
        if (localViews == 0) Assert.Null(actual.Local);
        else Same(expected.Local!, actual.Local!);

        ViewBatch Only(bool rendersOnProcessor) => Assert.Single(
            new ViewLoader(store, options, sizes, encoder, 5, parts: 1, seed: 1, Assert.Fail, rendersOnProcessor: rendersOnProcessor)
                .Epoch(0, CancellationToken.None));
    }

    public void Dispose() => folder.Dispose();

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
