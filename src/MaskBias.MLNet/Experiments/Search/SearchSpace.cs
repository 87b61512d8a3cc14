namespace MaskBias.MLNet.Experiments.Search;

/// <summary>The parameters of a candidate as a box: a configuration is a point in it, with a place from 0 to below 1 for each.</summary>
internal sealed class SearchSpace(IReadOnlyList<SearchParameter> parameters)
{
    private const double BelowOne = 1 - 1e-9;
    private const double ChoiceReach = 1.25;        // a whole first step leads to any choice

    public IReadOnlyList<SearchParameter> Parameters => parameters;

    /// <summary>The configuration that is tried first.</summary>
    public double[] Start => [.. parameters.Select(p => p.Start)];

    /// <summary>The value of a parameter of this space.</summary>
    public T Value<T>(SearchParameter<T> parameter, double[] point) where T : notnull => parameter.ValueAt(point[IndexOf(parameter)]);

    /// <summary>The values at a point, by name.</summary>
    public IReadOnlyDictionary<string, string> Print(double[] point) =>
        parameters.Select((p, i) => KeyValuePair.Create(p.Name, p.Print(point[i]))).ToDictionary();

    /// <summary>Equal for points with the same values.</summary>
    public string Key(double[] point) => string.Join('\n', parameters.Select((p, i) => p.Print(point[i])));

    /// <summary>The point a step away. Choices have no ends: they go round. Ranges turn back at theirs.</summary>
    public double[] Move(double[] from, double[] direction, double step) =>
        [.. from.Select((place, i) => parameters[i].IsChoice
            ? Wrap(place + ChoiceReach * step * direction[i]) : Reflect(place + step * direction[i]))];

    private int IndexOf(SearchParameter parameter)
    {
        for (int i = 0; i < parameters.Count; i++)
        {
            if (ReferenceEquals(parameters[i], parameter)) return i;
        }
        throw new ArgumentException($"The parameter {parameter.Name} is not in the search space, which has "
            + $"{string.Join(", ", parameters.Select(p => p.Name))}.");
    }

    private static double Wrap(double place) => Math.Min(place - Math.Floor(place), BelowOne);

    private static double Reflect(double place)
    {
        double folded = Math.Abs(place % 2);
        return Math.Min(folded > 1 ? 2 - folded : folded, BelowOne);
    }
}
