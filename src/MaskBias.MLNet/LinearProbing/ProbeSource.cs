using MaskBias.MLNet.Training;
using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>What linear layers learn from, and are judged by.</summary>
internal sealed record ProbeSource
{
    public required RunLog Log { get; init; }

    public required RunLimits Limits { get; init; }

    /// <summary>The class of each row that is learned from.</summary>
    public required int[] Classes { get; init; }

    public required int Batch { get; init; }

    /// <summary>The batches of an epoch, counted from 0.</summary>
    public required Func<int, IEnumerable<FeatureBatch>> Batches { get; init; }

    /// <summary>Rows held out of this training, or null.</summary>
    public FeatureBatch? Validation { get; init; }

    /// <summary>Number of rows that the layers are judged by, in this training or in the parts before it.</summary>
    public int ValidationRows { get; init; }

    /// <summary>What a cross-validation measured: its parts add to it, the training on all rows reports it. Null outside of one.</summary>
    public LayerMeasures? Measures { get; init; }

    /// <summary>The layer of <see cref="Measures"/> that is trained again on all rows; null in other trainings.</summary>
    public int? Chosen { get; init; }

    /// <summary>Whether it is a part of a cross-validation.</summary>
    public bool IsPart { get; init; }

    /// <summary>Numbers in a feature vector.</summary>
    public required int Dimension { get; init; }

    public required int Skipped { get; init; }

    public required Device Device { get; init; }

    public required IProgress<TrainingProgress>? Progress { get; init; }

    public int StepsPerEpoch => Classes.Length / Batch;
}
