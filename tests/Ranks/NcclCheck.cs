using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Distributed;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>Sums between CUDA devices by NCCL, one for each rank: right, in order with what libtorch computes, and how fast. One device will do.</summary>
internal static class NcclCheck
{
    public static int Run()
    {
        if (!cuda_is_available())
        {
            Console.Error.WriteLine("libtorch sees no CUDA device: build with -p:TorchBackend=cuda-linux on a machine that has one.");
            return 2;
        }
        var device = torch.device(DeviceType.CUDA, MpiLauncher.LocalRank % cuda.device_count());
        using var ranks = new NcclRanks(new MpiRanks(MpiWorld.Join(), TimeSpan.FromSeconds(40)), device);
        bool right = true;
        foreach (var type in new[] { ScalarType.Float32, ScalarType.Float64 })
        {
            foreach (int count in new[] { 1, 1000, 1 << 22 })
            {
                using var scope = NewDisposeScope();
                // What is queued before the sum must be in it, and what is queued after it must see it.
                var values = zeros(count, type, device);
                for (int i = 0; i <= ranks.Rank; i++) values.add_(1.0.ToScalar());
                var sum = ranks.BeginSum(values[..]);
                var after = values * 2.0.ToScalar();
                sum.Complete();
                double expected = Enumerable.Range(1, ranks.Size).Sum();
                right &= values.eq(expected.ToScalar()).all().ToBoolean() && after.eq((2 * expected).ToScalar()).all().ToBoolean();
            }
        }
        using var bucket = ones(25 << 18, device: device);
        for (int i = 0; i < 5; i++) ranks.BeginSum(bucket).Complete();
        var clock = Stopwatch.StartNew();
        const int Times = 50;
        for (int i = 0; i < Times; i++) ranks.BeginSum(bucket).Complete();
        double seconds = clock.Elapsed.TotalSeconds / Times;
        if (ranks.Rank == 0)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{ranks.Size} CUDA devices by NCCL: {(right ? "right" : "WRONG")}; 25 MiB in {seconds * 1000:0.000} ms, {bucket.numel() * 4 / seconds / 1e9:0.0} GB/s"));
        }
        return right ? 0 : 1;
    }
}
