namespace MaskBias.MLNet.Training.Data;

/// <summary>What draws from a run's seed beside the views; far from the numbers of images and batches.</summary>
internal enum RandomStream
{
    /// <summary>Augmentation and mixing of a step's labelled images.</summary>
    Labelled = int.MinValue,

    /// <summary>Augmentation of a step's unlabelled images.</summary>
    Unlabelled,

    /// <summary>Order of the features in an epoch of a linear probe.</summary>
    ProbeOrder,

    /// <summary>The next candidate of a search, and where it is tried.</summary>
    Search,

    /// <summary>A trial of an experiment.</summary>
    Trial,

    /// <summary>A draw of few labels.</summary>
    FewLabels,
}
