namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>What a training is.</summary>
internal enum TrainingKind
{
    /// <summary>Without labels, from scratch.</summary>
    Pretraining,

    /// <summary>Without labels, from a teacher.</summary>
    Distillation,

    /// <summary>From labels, from scratch.</summary>
    FromLabels,
}
