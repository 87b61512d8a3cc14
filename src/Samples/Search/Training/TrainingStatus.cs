namespace MaskBias.MLNet.Samples.Search.Training;

/// <summary>Whether the probe is being trained.</summary>
internal enum TrainingStatus
{
    /// <summary>Not since the start of the app.</summary>
    Idle,

    /// <summary>It is being trained.</summary>
    Running,

    /// <summary>The new probe is in force.</summary>
    Done,

    /// <summary>It was cancelled; the probe is the one before.</summary>
    Cancelled,

    /// <summary>It failed; the probe is the one before.</summary>
    Failed,
}
