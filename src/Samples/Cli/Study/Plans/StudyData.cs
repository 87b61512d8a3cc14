namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>The images of a study, in folders below the one that the command line names.</summary>
internal sealed record StudyData
{
    /// <summary>Labelled images to learn from: a folder per class.</summary>
    public required string Train { get; init; }

    /// <summary>Labelled images to measure on; null for a fifth of each class of <see cref="Train"/>.</summary>
    public string? Test { get; init; }

    /// <summary>More images to pretrain on, whose classes are not read.</summary>
    public string? Extra { get; init; }

    /// <summary>Folders of mask files by the name that cells call them by.</summary>
    public required IReadOnlyDictionary<string, string> Masks { get; init; }

    /// <summary>The mask folder with the objects that attention is compared with, or null.</summary>
    public string? Objects { get; init; }

    /// <summary>Images to learn from without labels, for a dry run where the folders are not at hand.</summary>
    public int? Images { get; init; }
}
