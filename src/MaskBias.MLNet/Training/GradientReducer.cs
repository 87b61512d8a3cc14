using MaskBias.MLNet.Distributed;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Averages the gradients of a step over the ranks, in a few flat buckets that are summed in place: while one travels, the next is filled.
/// Gradients of less than 32 bits are summed in float32.
/// </summary>
internal sealed class GradientReducer(IRanks ranks, long bucketBytes = GradientReducer.DefaultBucketBytes) : IDisposable
{
    /// <summary>Enough for a message to travel at full speed, and little enough that several are under way in a small model.</summary>
    public const long DefaultBucketBytes = 25 << 20;

    private readonly List<GradientBucket> buckets = [];
    private List<Parameter> laidOut = [];

    /// <summary>The mean of a loss over the ranks.</summary>
    public double Mean(double loss) => ranks.Mean(loss);

    /// <summary>Replaces the gradients by their means over the ranks. A parameter that has none on any rank keeps none.</summary>
    /// <param name="parameters">All that may have a gradient, in the same order on every rank.</param>
    public void Reduce(IReadOnlyList<Parameter> parameters)
    {
        using var _ = no_grad();
        if (!laidOut.SequenceEqual(parameters, ReferenceEqualityComparer.Instance)) LayOut(parameters);
        var sums = new List<IPendingSum>(buckets.Count);
        foreach (var bucket in buckets)
        {
            bucket.Fill();
            sums.Add(ranks.BeginSum(bucket.Flat));
        }
        for (int i = 0; i < buckets.Count; i++)
        {
            sums[i].Complete();
            buckets[i].HandOut(ranks.Size);
        }
    }

    public void Dispose()
    {
        foreach (var bucket in buckets) bucket.Dispose();
        buckets.Clear();
    }

    private void LayOut(IReadOnlyList<Parameter> parameters)
    {
        Dispose();
        laidOut = [.. parameters];
        var group = new List<Parameter>();
        long bytes = 0;
        foreach (var parameter in parameters)
        {
            long size = parameter.numel() * GradientBucket.TypeFor(parameter.dtype).ElementSize();
            if (group.Count > 0 && (bytes + size > bucketBytes || !GradientBucket.GoTogether(group[0], parameter)))
            {
                buckets.Add(new(group));
                (group, bytes) = ([], 0);
            }
            group.Add(parameter);
            bytes += size;
        }
        if (group.Count > 0) buckets.Add(new(group));
    }
}
