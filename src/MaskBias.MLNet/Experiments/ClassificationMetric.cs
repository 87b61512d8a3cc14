namespace MaskBias.MLNet.Experiments;

/// <summary>What the best classifier is best at; see ML.NET's MulticlassClassificationMetrics.</summary>
public enum ClassificationMetric
{
    /// <summary>Share of the rows that are right; large is good.</summary>
    MicroAccuracy,

    /// <summary>Mean over the classes of the share that is right; large is good.</summary>
    MacroAccuracy,

    /// <summary>Mean of −log of the probability given to the right class; small is good.</summary>
    LogLoss,
}
