using System.Globalization;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.RowMapping;

public sealed class LabelColumnTests
{
    private readonly MLContext ml = new(1);

    [Fact]
    public void Classes_have_the_names_of_the_labels_of_any_type()
    {
        Assert.Equal(["2", "0", "1"], Names(2, 0, 1));
        Assert.Equal(["18446744073709551615", "0"], Names(ulong.MaxValue, 0UL));
        Assert.Equal(["True", "False"], Names(true, false));
        Assert.Equal(["night", "day"], Names("night", "day"));
        Assert.Equal(["02:30:00", "1.00:00:00"], Names(TimeSpan.FromHours(2.5), TimeSpan.FromDays(1)));
    }

    [Fact]
    public void Their_names_are_the_same_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (german.NumberFormat.NumberDecimalSeparator, german.DateTimeFormat.DateSeparator) = (",", ".");
            CultureInfo.CurrentCulture = german;
            Assert.Equal(["0.5", "-1.25"], Names(0.5f, -1.25f));
            Assert.Equal(["12/31/2024 00:00:00"], Names(new DateTime(2024, 12, 31)));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Numbers_that_are_not_text_give_scores_no_names_as_in_ML_NET()
    {
        Assert.Null(Column(2, 0, 1).Names());
        Assert.Null(Column(2, 0, 1).ScoreAnnotations().Schema.GetColumnOrNull(LabelColumn.SlotNames));
        Assert.Equal(["night", "day"], Column("night", "day").Names()!);
    }

    [Fact]
    public void Keys_without_values_are_numbered()
    {
        var data = ml.Data.LoadFromEnumerable([new KeyRow()]);
        Assert.Equal(["1", "2", "3"], LabelColumn.Find(data.Schema, "Label").ClassNames());
    }

    private IReadOnlyList<string> Names<T>(params T[] labels) => Column(labels).ClassNames();

    private LabelColumn Column<T>(params T[] labels)
    {
        var data = ml.Data.LoadFromEnumerable(labels.Select(l => new Row<T> { Label = l }));
        return LabelColumn.Find(ml.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data).Schema, "Label");
    }

    private sealed class Row<T>
    {
        public T Label { get; set; } = default!;
    }

    private sealed class KeyRow
    {
        [KeyType(3)]
        public uint Label { get; set; } = 1;
    }
}
