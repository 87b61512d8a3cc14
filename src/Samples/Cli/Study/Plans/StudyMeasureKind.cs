namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>What a study measures encoders by.</summary>
internal enum StudyMeasureKind
{
    /// <summary>Weighted nearest neighbours on the encoder's feature vector.</summary>
    NearestNeighbors,

    /// <summary>A linear layer on features that stay as they are.</summary>
    LinearProbe,

    /// <summary>Training encoder and linear layer on labels.</summary>
    FineTune,

    /// <summary>The same on some labels, and on the other images without.</summary>
    SemiSupervised,
}
