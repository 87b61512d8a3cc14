namespace MaskBias.MLNet.Experiments;

/// <summary>Why an experiment ended.</summary>
public enum StopReason
{
    /// <summary>The time was over, or too short for any further trial.</summary>
    MaxTime,

    /// <summary>All trials were made.</summary>
    MaxTrials,

    /// <summary>Everything there is had been tried.</summary>
    Exhausted,

    /// <summary>The token was cancelled.</summary>
    Cancelled,
}
