namespace MaskBias.MLNet.Experiments;

/// <summary>What the best regression is best at; see ML.NET's RegressionMetrics.</summary>
public enum RegressionMetric
{
    /// <summary>Coefficient of determination; large is good.</summary>
    RSquared,

    /// <summary>Mean of the absolute errors; small is good.</summary>
    MeanAbsoluteError,

    /// <summary>Root of the mean of the squared errors; small is good.</summary>
    RootMeanSquaredError,
}
