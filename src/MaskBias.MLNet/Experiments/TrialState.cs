namespace MaskBias.MLNet.Experiments;

/// <summary>How a trial ended.</summary>
public enum TrialState
{
    /// <summary>It has its metrics.</summary>
    Completed,

    /// <summary>An error ended it, which is recorded.</summary>
    Failed,

    /// <summary>The experiment ended first, by its time limit or its token. Such a trial is not kept in the run file.</summary>
    Stopped,
}
