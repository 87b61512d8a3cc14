namespace MaskBias.MLNet.Training.Output;

/// <summary>What to do where the output folder holds a run already.</summary>
public enum ExistingRun
{
    /// <summary>An error that names the other two.</summary>
    Refuse,

    /// <summary>
    /// The same run goes on from its last whole checkpoint, bit for bit as if it had not been interrupted; a folder without a run starts one.
    /// To begin a new pretraining from trained weights instead, set <c>StartFrom</c>.
    /// </summary>
    Resume,

    /// <summary>The old run is deleted.</summary>
    Overwrite,
}
