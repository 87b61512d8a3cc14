using System.Collections.Concurrent;
using MaskBias.MLNet.Distributed;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Averages the gradients of a step over the ranks, in a few flat buckets that are summed in place: while one travels, the next is filled.
/// Where the borders of blocks are known, a bucket starts as soon as the backward pass has left all of its parameters. Gradients of less than
/// 32 bits are summed in float32.
/// </summary>
internal sealed class GradientReducer : IDisposable
{
    /// <summary>Enough for a message to travel at full speed, and little enough that several are under way in a small model.</summary>
    public const long DefaultBucketBytes = 25 << 20;

    // MPI may still write to what travelled when a run failed.
    private static readonly ConcurrentBag<GradientBucket> Abandoned = [];

    private readonly IRanks ranks;
    private readonly BlockBorders? borders;
    private readonly long bucketBytes;
    private readonly List<GradientBucket> buckets = [];             // in the order in which they become complete, the same on all ranks
    private readonly List<IPendingSum> sums = [];                   // of the first of them
    private List<Parameter> laidOut = [];

    /// <param name="ranks">The ranks.</param>
    /// <param name="borders">Where the backward pass can be seen; null to begin when it ends.</param>
    /// <param name="bucketBytes">Size of a bucket; a larger parameter has one for itself.</param>
    public GradientReducer(IRanks ranks, BlockBorders? borders = null, long bucketBytes = DefaultBucketBytes)
    {
        (this.ranks, this.borders, this.bucketBytes) = (ranks, borders, bucketBytes);
        if (borders is not null) borders.Left = BeginFrom;
    }

    /// <summary>The mean of a loss over the ranks.</summary>
    public double Mean(double loss) => ranks.Mean(loss);

    /// <summary>Waits for the device, which may be at a sum that another rank does not join.</summary>
    public void WaitForDevice() => ranks.WaitForDevice();

    /// <summary>
    /// Tells that the forward and backward pass that come next are the last of the step, so that what is complete may start to travel.
    /// </summary>
    /// <param name="parameters">As in <see cref="Reduce"/>.</param>
    public void Expect(IReadOnlyList<Parameter> parameters)
    {
        LayOut(parameters);
        borders?.Open();
    }

    /// <summary>Replaces the gradients by their means over the ranks. A parameter that has none on any rank keeps none.</summary>
    /// <param name="parameters">All that may have a gradient, in the same order on every rank.</param>
    public void Reduce(IReadOnlyList<Parameter> parameters)
    {
        using var _ = no_grad();
        borders?.Close();
        LayOut(parameters);
        while (sums.Count < buckets.Count) Begin();
        for (int i = 0; i < buckets.Count; i++)
        {
            sums[i].Complete();
            buckets[i].HandOut(ranks.Size);
        }
        sums.Clear();
    }

    public void Dispose()
    {
        foreach (var bucket in buckets)
        {
            if (sums.Count > 0) Abandoned.Add(bucket);
            else bucket.Dispose();
        }
        buckets.Clear();
        sums.Clear();
    }

    private void BeginFrom(int block)
    {
        using var _ = no_grad();
        foreach (var sum in sums) sum.Advance();
        while (sums.Count < buckets.Count && Place(buckets[sums.Count]) >= block) Begin();
    }

    private void Begin()
    {
        var bucket = buckets[sums.Count];
        bucket.Fill();
        sums.Add(ranks.BeginSum(bucket.Flat));
    }

    private int Place(GradientBucket bucket) => borders is null ? -1 : bucket.Parameters.Min(borders.PlaceOf);

    // From the last parameter to the first, as the backward pass goes.
    private void LayOut(IReadOnlyList<Parameter> parameters)
    {
        if (laidOut.SequenceEqual(parameters, ReferenceEqualityComparer.Instance)) return;
        Dispose();
        laidOut = [.. parameters];
        var group = new List<Parameter>();
        long bytes = 0;
        foreach (var parameter in parameters.Reverse())
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
