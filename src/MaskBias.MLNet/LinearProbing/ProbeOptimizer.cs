namespace MaskBias.MLNet.LinearProbing;

/// <summary>What trains the linear layer of a probe.</summary>
public enum ProbeOptimizer
{
    /// <summary>Stochastic gradient descent with momentum (DINO).</summary>
    Sgd,

    /// <summary>Layer-wise adaptive rate scaling, for very large batches (You et al., 2017; MAE).</summary>
    Lars,
}
