namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>How an encoder is measured.</summary>
/// <param name="Kind">The way.</param>
/// <param name="Fractions">Shares of the labels; at least one label of each class.</param>
/// <param name="Options">Options of the classifier, by their names in the library.</param>
internal sealed record StudyMeasure(StudyMeasureKind Kind, IReadOnlyList<double> Fractions,
    IReadOnlyList<(string Name, string Text)> Options)
{
    /// <summary>What the name of a measure ends with where the encoder sees the masks of the images.</summary>
    public const string WithMasks = ", masks";

    /// <summary>Whether it needs the images' features alone, which are computed once for all measures of an encoder.</summary>
    public bool IsOnFeatures => Kind is StudyMeasureKind.NearestNeighbors or StudyMeasureKind.LinearProbe;

    /// <summary>The measure with those of its shares that are at least this one.</summary>
    public StudyMeasure WithAtLeast(double least) => this with { Fractions = [.. Fractions.Where(f => f >= least)] };

    /// <summary>What the tables call it.</summary>
    public static string Name(StudyMeasureKind kind, double fraction)
    {
        string name = kind switch
        {
            StudyMeasureKind.NearestNeighbors => "k-NN",
            StudyMeasureKind.LinearProbe => "linear",
            StudyMeasureKind.FineTune => "fine-tuned",
            _ => "semi-supervised",
        };
        return fraction == 1 ? name : FormattableString.Invariant($"{name} {100 * fraction:0.##}%");
    }
}
