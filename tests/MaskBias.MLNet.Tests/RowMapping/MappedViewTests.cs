using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Tests.Images;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Xunit;

namespace MaskBias.MLNet.Tests.RowMapping;

public class MappedViewTests
{
    private readonly MLContext ml = new(1);

    private sealed class Row
    {
        public float Value { get; set; }

        public string Name { get; set; } = "";

        public float[] Parts { get; set; } = [];
    }

    private IDataView Rows(int count) => ml.Data.LoadFromEnumerable(
        Enumerable.Range(0, count).Select(i => new Row { Value = i, Name = $"row {i}", Parts = Enumerable.Repeat((float)i, i % 5).ToArray() }).ToArray());

    [Theory]
    [InlineData(10, 4, new[] { 4, 4, 2 })]
    [InlineData(8, 4, new[] { 4, 4 })]
    [InlineData(3, 32, new[] { 3 })]
    [InlineData(0, 4, new int[0])]
    [InlineData(3, 1, new[] { 1, 1, 1 })]
    public void Values_are_computed_in_batches_and_other_columns_pass_through(int count, int batchSize, int[] batches)
    {
        var source = Rows(count);
        var mapping = new DoublingMapping(source.Schema, batchSize);
        var view = new MappedView(source, mapping);

        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i}: {2 * i} row {i} [{i % 5}x{(i % 5 == 0 ? 0 : i)}]"), Read(view));
        Assert.Equal(batches, mapping.Batches);
        Assert.Equal(source.GetRowCount(), view.GetRowCount());
        Assert.Equal(source.CanShuffle, view.CanShuffle);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Nothing_is_computed_for_columns_that_are_not_asked_for(int batchSize)
    {
        var source = Rows(10);
        var mapping = new DoublingMapping(source.Schema, batchSize);
        var view = new MappedView(source, mapping);

        Assert.Equal(10, view.GetColumn<string>("Name").Count());
        Assert.Equal(0, mapping.Reads);
        using var cursor = view.GetRowCursor([view.Schema["Name"]]);
        Assert.False(cursor.IsColumnActive(view.Schema["Doubled"]));
        Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<float>(view.Schema["Doubled"]));
    }

    [Fact]
    public void A_batch_is_computed_only_when_one_of_its_values_is_asked_for()
    {
        var source = Rows(10);
        var mapping = new DoublingMapping(source.Schema, batchSize: 4);
        var view = new MappedView(source, mapping);
        using var cursor = view.GetRowCursor(view.Schema);
        var getter = cursor.GetGetter<float>(view.Schema["Doubled"]);
        float value = 0;

        for (int i = 0; i < 6; i++) Assert.True(cursor.MoveNext());
        Assert.Empty(mapping.Batches);
        getter(ref value);
        Assert.Equal(10, value);
        getter(ref value);
        Assert.Equal([4], mapping.Batches);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Position_and_ids_are_the_sources(int batchSize)
    {
        var source = ml.Data.SkipRows(Rows(10), 2);
        var view = new MappedView(source, new DoublingMapping(source.Schema, batchSize));
        using var plain = source.GetRowCursor(source.Schema);
        using var mapped = view.GetRowCursor(view.Schema);
        var (plainId, mappedId) = (plain.GetIdGetter(), mapped.GetIdGetter());
        Assert.Equal(-1, mapped.Position);
        while (plain.MoveNext())
        {
            Assert.True(mapped.MoveNext());
            DataViewRowId expected = default, actual = default;
            plainId(ref expected);
            mappedId(ref actual);
            Assert.Equal((plain.Position, plain.Batch, expected), (mapped.Position, mapped.Batch, actual));
        }
        Assert.False(mapped.MoveNext());
        Assert.False(mapped.MoveNext());
        Assert.Equal(-1, mapped.Position);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Parallel_cursors_together_give_the_rows_of_one(int batchSize)
    {
        var source = ml.Data.Cache(Rows(1000));
        var view = new MappedView(source, new DoublingMapping(source.Schema, batchSize));
        var cursors = view.GetRowCursorSet(view.Schema, 4);
        Assert.True(cursors.Length > 1);
        var read = new List<string>();
        Parallel.ForEach(cursors, cursor =>
        {
            var rows = Read(cursor).ToList();
            lock (read) read.AddRange(rows.Select(r => r[(r.IndexOf(':') + 2)..]));       // positions are each cursor's own
        });
        var expected = Read(view).Select(r => r[(r.IndexOf(':') + 2)..]);
        Assert.Equal(expected.Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Shuffled_rows_keep_their_values_together()
    {
        var source = ml.Data.Cache(Rows(200));
        var view = new MappedView(source, new DoublingMapping(source.Schema, batchSize: 8));
        var shuffled = Read(ml.Data.ShuffleRows(view, seed: 3)).Select(r => r[(r.IndexOf(':') + 2)..]).ToList();
        var expected = Read(view).Select(r => r[(r.IndexOf(':') + 2)..]).ToList();
        Assert.NotEqual(expected, shuffled);
        Assert.Equal(expected.Order(StringComparer.Ordinal), shuffled.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(8)]         // ResizeImages draws
    [InlineData(20)]        // ResizeImages hands out its source's image
    public void Images_that_pass_through_are_the_rows_own(int size)
    {
        using var folder = new TempFolder();
        var rows = Enumerable.Range(0, 7).Select(i => new ImageRow { Value = i, Path = folder.Write($"{i}.png", SampleImages.Shape(0, i, 20, 20)) }).ToArray();
        var data = ml.Data.LoadFromEnumerable(rows);
        var images = ml.Transforms.LoadImages("Image", null, "Path")
            .Append(ml.Transforms.ResizeImages("Image", size, size, "Image", ImageResizingEstimator.ResizingKind.IsoCrop)).Fit(data).Transform(data);
        var view = new MappedView(images, new DoublingMapping(images.Schema, batchSize: 3));
        Assert.Equal(Pixels(images), Pixels(view));
    }

    [Fact]
    public void Errors_of_the_source_come_through_and_end_the_reading()
    {
        var source = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 10).Select(i => i < 5 ? new Row { Value = i } : throw new InvalidOperationException("broken row")));
        var view = new MappedView(source, new DoublingMapping(source.Schema, batchSize: 4));
        using var cursor = view.GetRowCursor(view.Schema);
        for (int i = 0; i < 4; i++) Assert.True(cursor.MoveNext());
        Assert.Contains("broken row", Assert.ThrowsAny<Exception>(() => cursor.MoveNext()).ToString());
    }

    private static List<byte[]> Pixels(IDataView view)
    {
        var needed = view.Schema.Where(c => c.Name is "Image" or "Doubled" && !c.IsHidden);
        using var cursor = view.GetRowCursor(needed);
        var getter = cursor.GetGetter<MLImage>(view.Schema["Image"]);
        MLImage image = null!;
        var pixels = new List<byte[]>();
        while (cursor.MoveNext())
        {
            getter(ref image);
            pixels.Add(image.Pixels.ToArray());
        }
        return pixels;
    }

    private static IEnumerable<string> Read(IDataView view)
    {
        using var cursor = view.GetRowCursor(view.Schema);
        foreach (string row in Read(cursor)) yield return row;
    }

    private static IEnumerable<string> Read(DataViewRowCursor cursor)
    {
        var doubled = cursor.GetGetter<float>(cursor.Schema["Doubled"]);
        var name = cursor.GetGetter<ReadOnlyMemory<char>>(cursor.Schema["Name"]);
        var parts = cursor.GetGetter<VBuffer<float>>(cursor.Schema["Parts"]);
        float value = 0;
        ReadOnlyMemory<char> text = default;
        VBuffer<float> vector = default;
        while (cursor.MoveNext())
        {
            doubled(ref value);
            name(ref text);
            parts(ref vector);
            yield return $"{cursor.Position}: {value} {text} [{vector.Length}x{(vector.Length == 0 ? 0 : vector.GetItemOrDefault(0))}]";
        }
    }

    private sealed class ImageRow
    {
        public float Value { get; set; }

        public string Path { get; set; } = "";
    }
}
