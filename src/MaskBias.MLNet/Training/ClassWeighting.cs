namespace MaskBias.MLNet.Training;

/// <summary>How much the rows of each class weigh in the loss of a classifier.</summary>
public enum ClassWeighting
{
    /// <summary>Every row weighs the same.</summary>
    None,

    /// <summary>Every class weighs the same: a row of a class of n rows, of N in K classes, weighs N/(K·n).</summary>
    Balanced,
}
