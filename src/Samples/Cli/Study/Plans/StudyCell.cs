namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>A row of a study's tables: one way to an encoder, done once with every seed.</summary>
internal sealed record StudyCell
{
    /// <summary>Masks that the built-in segmenter finds.</summary>
    public const string Segmenter = "segment";

    public required string Name { get; init; }

    public required StudyMethod Method { get; init; }

    /// <summary>The masks that guide the attention: <see cref="Segmenter"/> or the name of a mask folder; null for no bias.</summary>
    public string? Masks { get; init; }

    /// <summary>Whether every image gets the masks of another one, as a control.</summary>
    public bool Shuffled { get; init; }

    /// <summary>Whether the encoder is distilled into a plain one.</summary>
    public bool Distilled { get; init; }

    /// <summary>Whether the data's extra images are learned from, too.</summary>
    public bool Extra { get; init; } = true;

    /// <summary>Share of the run during which α and β are not trained; 1 for all of it, null for what the method's options say.</summary>
    public double? FreezeBias { get; init; }

    /// <summary>
    /// Shares of the labels that a supervised cell learns from, each by a training of its own; its encoder is that of the largest, which
    /// comes first.
    /// </summary>
    public required IReadOnlyList<double> Fractions { get; init; }

    /// <summary>Options of the method that this cell has alone, by their names in the library.</summary>
    public required IReadOnlyList<(string Name, string Text)> Options { get; init; }

    /// <summary>Options of the distillation that this cell has alone.</summary>
    public required IReadOnlyList<(string Name, string Text)> Distillation { get; init; }

    /// <summary>The cell that this one is compared with; null for none.</summary>
    public string? Baseline { get; init; }

    /// <summary>Whether nothing is trained for it.</summary>
    public bool IsRandom => Method is StudyMethod.Random or StudyMethod.RandomMae;

    /// <summary>Whether its encoder is a masked autoencoder's.</summary>
    public bool IsMae => Method is StudyMethod.Mae or StudyMethod.RandomMae;

    /// <summary>The name as part of a file's.</summary>
    public string Slug => Report.Page.SafeText.Slug(Name);
}
