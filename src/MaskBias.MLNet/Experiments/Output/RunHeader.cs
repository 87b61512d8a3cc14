namespace MaskBias.MLNet.Experiments.Output;

/// <summary>The first line of a run file: what must be the same for the experiment to go on.</summary>
internal sealed record RunHeader
{
    public const int CurrentFormat = 1;

    public int Format { get; init; } = CurrentFormat;

    /// <summary>Version of the library that began the experiment.</summary>
    public string Library { get; init; } = typeof(RunHeader).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>Classification or Regression.</summary>
    public required string Task { get; init; }

    public required int Seed { get; init; }

    /// <summary>Whether costs are counted in "time" or in "trials".</summary>
    public required string Budget { get; init; }

    /// <summary>Fingerprint of the rows.</summary>
    public required string Data { get; init; }

    /// <summary>Fingerprints of the encoders by name.</summary>
    public required IReadOnlyDictionary<string, string> Encoders { get; init; }

    /// <summary>Every setting that bears on what is tried and measured.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>What differs so that the experiment cannot go on, each by its name.</summary>
    public IEnumerable<string> DifferencesFrom(RunHeader earlier)
    {
        if (Task != earlier.Task) yield return $"the experiment is one of {earlier.Task}, not {Task}";
        if (Seed != earlier.Seed) yield return $"Seed was {earlier.Seed}, now {Seed}";
        if (Budget != earlier.Budget) yield return $"the budget was of {earlier.Budget}, now of {Budget}";
        foreach (string fault in Compare("encoder ", earlier.Encoders, Encoders)) yield return fault;
        foreach (string fault in Compare("", earlier.Settings, Settings)) yield return fault;
        if (Data != earlier.Data) yield return "the rows are not those that it began with: others, in another order, or with other labels or images";
    }

    private static IEnumerable<string> Compare(
        string what, IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now) =>
        before.Keys.Union(now.Keys).Where(name => before.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .Select(name => $"{what}{name} was {before.GetValueOrDefault(name) ?? "not there"}, now {now.GetValueOrDefault(name) ?? "not there"}");
}
