namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>How a cell's encoder comes about.</summary>
internal enum StudyMethod
{
    /// <summary>Not at all: its weights are drawn at random, as DINO begins.</summary>
    Random,

    /// <summary>Not at all: its weights are drawn at random, as a masked autoencoder begins, whose positions and pooling are others.</summary>
    RandomMae,

    /// <summary>From labels alone, starting from random weights.</summary>
    Supervised,

    /// <summary>Without labels, with DINO.</summary>
    Dino,

    /// <summary>Without labels, as a masked autoencoder.</summary>
    Mae,
}
