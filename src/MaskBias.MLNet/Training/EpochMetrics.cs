namespace MaskBias.MLNet.Training;

/// <summary>How an epoch of a classifier went.</summary>
/// <param name="Epoch">The epoch, counted from 1.</param>
/// <param name="TrainingLoss">Mean loss of its steps.</param>
/// <param name="ValidationLoss">Mean cross-entropy of the rows held out; null where there are none.</param>
/// <param name="ValidationAccuracy">Share of the rows held out that are classified rightly; null where there are none.</param>
public sealed record EpochMetrics(int Epoch, double TrainingLoss, double? ValidationLoss, double? ValidationAccuracy);
