using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>
/// Seconds of a DINO step of a ViT-S or ViT-Ti with a number of images per rank, and how many of them go into sums; and the rate of sums by
/// their size. One thread computes in each rank.
/// </summary>
internal static class StepRate
{
    private const int WarmUp = 2;

    /// <param name="ranks">The ranks.</param>
    /// <param name="arguments">small or tiny, the side of the images, images per rank, steps.</param>
    public static int Run(IRanks ranks, string[] arguments)
    {
        string size = arguments.ElementAtOrDefault(0) ?? "small";
        int side = Number(1, 224), images = Number(2, 4), steps = Number(3, 5);
        var architecture = size == "tiny" ? VitOptions.Tiny(imageSize: side) : VitOptions.Small(imageSize: side);
        var timed = new TimedRanks(ranks);
        var (seconds, inSums, bytes) = Measure(timed, architecture, images, steps);
        var sums = SumRates(timed);
        if (!ranks.IsRoot) return 0;
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            ranks = ranks.Size, model = size, side, imagesPerRank = images, stepSeconds = Math.Round(seconds, 5), sumSeconds = Math.Round(inSums, 5),
            gradientBytes = bytes, copySeconds = CopySeconds(bytes), imagesPerSecond = Math.Round(images * ranks.Size / seconds, 3), sums,
        }));
        return 0;

        int Number(int index, int otherwise) =>
            index < arguments.Length ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : otherwise;
    }

    private static (double Step, double Sums, long Bytes) Measure(TimedRanks ranks, VitOptions architecture, int images, int steps)
    {
        var options = new DinoOptions { Head = new() { OutDim = 4096 }, FreezeLastLayerEpochs = 0 };
        using var student = new DinoBranch(new(architecture, 1), new(architecture.EmbedDim, options.Head, 1));
        using var teacher = new DinoBranch(new(architecture, 1), new(architecture.EmbedDim, options.Head, 1));
        using var method = new DinoMethod(options, student, teacher, 1000, CPU);
        var plan = new TrainingPlan
        {
            Phase = "rate", Epochs = 1, StepsPerEpoch = steps + WarmUp, BatchSize = images * ranks.Size, ClipGradient = 3,
            LearningRate = new(1e-4, 1e-6, 1000), WeightDecay = new(0.04, 0.4, 1000),
        };
        var share = RankShare.Of(ranks, plan.BatchSize);
        if (ranks.Size > 1) method.JoinRanks(share);
        bool overlaps = Environment.GetEnvironmentVariable("MASKBIAS_OVERLAP") != "0";
        using var reducer = new GradientReducer(ranks, overlaps ? share.Borders : null);
        using var pixels = randn(2 * images, 3, architecture.ImageSize, architecture.ImageSize);
        var clock = new Stopwatch();
        using var loop = new TrainingLoop<ViewBatch>(plan, method) { Reducer = ranks.Size > 1 ? reducer : null };
        loop.Run(_ => Enumerable.Range(0, steps + WarmUp).Select(step =>
        {
            if (step == WarmUp)
            {
                ranks.Reset();
                clock.Start();
            }
            return new ViewBatch(new(2, pixels.alias().DetachFromDisposeScope(), null), null);
        }));
        long bytes = method.Parameters.Where(p => p.Parameter.requires_grad).Sum(p => p.Parameter.numel() * p.Parameter.element_size());
        return (clock.Elapsed.TotalSeconds / steps, ranks.Spent.TotalSeconds / steps, bytes);
    }

    // Into buckets, and divided there.
    private static double CopySeconds(long bytes)
    {
        using var from = ones(bytes / 4);
        using var to = zeros(bytes / 4);
        var clock = new Stopwatch();
        for (int i = 0; i < 5; i++)
        {
            if (i == 1) clock.Start();
            to.copy_(from);
            to.div_(2.0.ToScalar());
        }
        return Math.Round(clock.Elapsed.TotalSeconds / 4, 5);
    }

    // Bytes and seconds of one sum.
    private static Dictionary<string, double> SumRates(TimedRanks ranks)
    {
        var rates = new Dictionary<string, double>();
        if (ranks.Size == 1) return rates;
        foreach (int count in new[] { 1 << 10, 1 << 16, 1 << 20, 25 << 18 })
        {
            using var values = ones(count);
            for (int i = 0; i < 3; i++) ((IRanks)ranks).Sum(values);
            ranks.Reset();
            const int Times = 10;
            for (int i = 0; i < Times; i++) ((IRanks)ranks).Sum(values);
            rates[(count * 4L).ToString(CultureInfo.InvariantCulture)] = ranks.Spent.TotalSeconds / Times;
        }
        return rates;
    }
}
