namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>Which of the two networks in a self-distillation checkpoint.</summary>
public enum CheckpointBranch
{
    /// <summary>The moving average, which DINO evaluates and publishes.</summary>
    Teacher,

    /// <summary>The network that gradients train.</summary>
    Student,
}
