namespace MaskBias.MLNet.Experiments.Search;

/// <summary>A setting of one type that an experiment chooses.</summary>
/// <typeparam name="T">The type of its values.</typeparam>
public sealed class SearchParameter<T> : SearchParameter where T : notnull
{
    private readonly Func<double, T> valueAt;

    internal SearchParameter(string name, string values, double start, bool isChoice, Func<double, T> valueAt)
        : base(name, values, start, isChoice) =>
        this.valueAt = valueAt;

    internal T ValueAt(double place) => valueAt(place);

    internal override string Print(double place) => Text($"{ValueAt(place)}");
}
