using MaskBias.MLNet.Training;

namespace MaskBias.MLNet.FineTuning;

/// <summary>How the epochs went.</summary>
/// <param name="Losses">The loss of every step.</param>
/// <param name="Elapsed">Duration of the steps, those before the run was resumed left out.</param>
/// <param name="ResumedSteps">Steps that were done before the run was resumed.</param>
/// <param name="Epochs">Every epoch.</param>
/// <param name="BestEpoch">The epoch that was kept, counted from 1; 0 for the start.</param>
internal sealed record BestEpochResult(
    IReadOnlyList<double> Losses, TimeSpan Elapsed, long ResumedSteps, IReadOnlyList<EpochMetrics> Epochs, int BestEpoch);
