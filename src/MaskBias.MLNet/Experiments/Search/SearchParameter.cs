using System.Globalization;

namespace MaskBias.MLNet.Experiments.Search;

/// <summary>A setting that an experiment chooses: a range or a list of choices, and the value that is tried first.</summary>
public abstract class SearchParameter
{
    private readonly string values;

    private protected SearchParameter(string name, string values, double start, bool isChoice)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        (Name, this.values, Start, IsChoice) = (name, values, start, isChoice);
    }

    /// <summary>Its name, as tables and files show it.</summary>
    public string Name { get; }

    /// <summary>Where the value that is tried first lies, from 0 to below 1.</summary>
    internal double Start { get; }

    /// <summary>Whether its values have no order.</summary>
    internal bool IsChoice { get; }

    /// <summary>The name and all that it can be.</summary>
    public override string ToString() => $"{Name} {values}";

    /// <summary>The value at a place from 0 to below 1, as a text.</summary>
    internal abstract string Print(double place);

    /// <summary>A number between two bounds, rounded to three digits.</summary>
    /// <param name="name">The name.</param>
    /// <param name="least">The smallest value.</param>
    /// <param name="most">The largest value.</param>
    /// <param name="start">What is tried first; where cost depends on the value, a cheap one.</param>
    /// <exception cref="ArgumentException">The start does not lie between the bounds.</exception>
    public static SearchParameter<double> Range(string name, double least, double most, double start)
    {
        Check(name, least, most, start);
        return new(name, Text($"{least:g4} to {most:g4}"), Place(least, most, start), isChoice: false,
            place => Rounded(least + place * (most - least)));
    }

    /// <summary>A number between two bounds, whose logarithm is searched.</summary>
    /// <inheritdoc cref="Range"/>
    public static SearchParameter<double> LogRange(string name, double least, double most, double start)
    {
        Check(name, least, most, start);
        CheckPositive(name, least);
        double low = Math.Log(least), high = Math.Log(most);
        return new(name, Text($"{least:g4} to {most:g4} (log)"), Place(low, high, Math.Log(start)), isChoice: false,
            place => Rounded(Math.Exp(low + place * (high - low))));
    }

    /// <summary>A whole number between two bounds, whose logarithm is searched.</summary>
    /// <inheritdoc cref="Range"/>
    public static SearchParameter<int> LogIntegers(string name, int least, int most, int start)
    {
        Check(name, least, most, start);
        CheckPositive(name, least);
        double low = Math.Log(least), high = Math.Log(most);
        return new(name, Text($"{least} to {most} (log)"), Place(low, high, Math.Log(start)), isChoice: false,
            place => Math.Clamp((int)Math.Round(Math.Exp(low + place * (high - low))), least, most));
    }

    /// <summary>One of several values; the first is tried first.</summary>
    /// <param name="name">The name.</param>
    /// <param name="choices">The values, each once.</param>
    /// <exception cref="ArgumentException">There is no choice, or one is there twice.</exception>
    public static SearchParameter<T> Choice<T>(string name, params T[] choices) where T : notnull
    {
        ArgumentNullException.ThrowIfNull(choices);
        if (choices.Length == 0) throw new ArgumentException($"{name} has no choices; it needs at least one.", nameof(choices));
        if (choices.Distinct().Count() < choices.Length)
            throw new ArgumentException($"{name} has a choice twice: {string.Join(", ", choices)}.", nameof(choices));
        T[] kept = [.. choices];
        return new(name, $"one of {string.Join(", ", kept.Select(c => Text($"{c}")))}", 0.5 / kept.Length, isChoice: true,
            place => kept[Math.Min((int)(place * kept.Length), kept.Length - 1)]);
    }

    private protected static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static double Place(double least, double most, double value) => Math.Min((value - least) / (most - least), BelowOne);

    private const double BelowOne = 1 - 1e-9;

    // What is printed is what is used.
    private static double Rounded(double value) =>
        double.Parse(value.ToString("g3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static void Check(string name, double least, double most, double start)
    {
        if (!double.IsFinite(least) || !double.IsFinite(most) || !(least < most))
            throw new ArgumentException(Text($"{name} runs from {least} to {most}; the first must be below the second."));
        if (!(start >= least && start <= most))
            throw new ArgumentException(Text($"{name} starts with {start}; it must lie in [{least}, {most}]."));
    }

    private static void CheckPositive(string name, double least)
    {
        if (!(least > 0)) throw new ArgumentException(Text($"{name} runs from {least}; a logarithm needs values above 0."));
    }
}
