namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>A piece of work of a study.</summary>
internal sealed record StudyJob
{
    /// <summary>A name for files: the same work has the same in every process.</summary>
    public required string Id { get; init; }

    /// <summary>What the terminal calls it.</summary>
    public required string Title { get; init; }

    /// <summary>The smallest goes first.</summary>
    public required int Priority { get; init; }

    /// <summary>Whether it leaves a result, and is done for its own sake; others are done where one needs them.</summary>
    public required bool IsResult { get; init; }

    /// <summary>What must be complete first.</summary>
    public IReadOnlyList<StudyJob> Needs { get; init; } = [];

    /// <summary>The file of its result, and the key of all that it depends on; null for an encoder alone.</summary>
    public (string Path, string Key)? Result { get; init; }

    /// <summary>Whether it is done.</summary>
    public required Func<bool> IsComplete { get; init; }

    /// <summary>Does it.</summary>
    public required Action Run { get; init; }
}
