using System.Globalization;
using System.Text.Json;

namespace MaskBias.MLNet.Benchmarks.Distributed;

/// <summary>
/// Measures a DINO step on one rank alone, on two that know nothing of each other, and on two that train together; simulates the last from the
/// others and from the rates of sums; and carries the model on to more ranks.
/// </summary>
internal static class ScalingBenchmark
{
    private const int Many = 1024;

    public static void Run(TextWriter output)
    {
        if (RankedJob.Launchers.Count == 0)
        {
            output.WriteLine("  there is no mpirun; install openmpi-bin or mpich.");
            return;
        }
        string[] size = (Environment.GetEnvironmentVariable("MASKBIAS_RATE") ?? "small 224 4 5").Split(' ');
        var alone = Measure(1, size);
        var half = Measure(1, [size[0], size[1], Half(size[2]), size[3]]);
        var apart = Parallel(size);
        var together = Measure(2, size);
        var after = Measure(2, [.. size, "after"]);
        double images = double.Parse(size[2], CultureInfo.InvariantCulture), perStep = Math.Max(0, 2 * half.Step - alone.Step);
        var (hop, rate) = Link(together.Sums);
        var model = new ScalingModel
        {
            SecondsPerImage = (apart - perStep) / images, SecondsPerStep = perStep, CopySeconds = together.Copy, GradientBytes = together.Bytes,
            HopSeconds = hop, BytesPerSecond = rate,
        };
        var solitary = model with { SecondsPerImage = (alone.Step - perStep) / images };
        output.WriteLine(Text($"  {string.Join(' ', size)}: one rank {alone.Step:0.000} s a step; two apart {apart:0.000} s; two together {together.Step:0.000} s, of which {together.InSums:0.000} s in sums of {together.Bytes >> 20} MB"));
        output.WriteLine(Text($"  sums that begin after the backward pass: {after.Step:0.000} s a step, of which {after.InSums:0.000} s in sums: with those that begin in it {together.Step / after.Step:0.00} of the time"));
        output.WriteLine(Text($"  rate of two ranks: {2 * alone.Step / together.Step / 2:0.00} of twice one rank's (0.85 wanted)"));
        output.WriteLine(Text($"  simulated: one rank {solitary.Step(1, images):0.000} s ({solitary.Step(1, images) / alone.Step - 1:+0.0%;-0.0%}), two {model.Step(2, images):0.000} s ({model.Step(2, images) / together.Step - 1:+0.0%;-0.0%}) (10% wanted)"));
        output.WriteLine(Text($"  inputs: {model.SecondsPerImage:0.0000} s an image, {perStep:0.0000} s a step, {together.Copy:0.0000} s to copy, {hop * 1e6:0.0} us a hop, {rate / 1e9:0.00} GB/s"));
        Table(output, "this machine's cores and memory", model);
        foreach (var (name, ranks) in Assumed(together.Bytes)) Table(output, name, ranks);
    }

    // Nothing of these was measured here: devices and links as their makers state them, at 60% of the links' rate.
    private static IEnumerable<(string, ScalingModel)> Assumed(long bytes)
    {
        var device = new ScalingModel { SecondsPerImage = 1 / 1000.0, SecondsPerStep = 0.003, CopySeconds = 2e-4, GradientBytes = bytes, HopSeconds = 20e-6, BytesPerSecond = 0.6 * 25e9 / 8 };
        yield return ("assumed: 1,000 images/s a device, 25 Gbit/s Ethernet", device);
        yield return ("the same with overlap", device with { Overlaps = true });
        yield return ("assumed: 1,000 images/s a device, 200 Gbit/s InfiniBand", device with { HopSeconds = 4e-6, BytesPerSecond = 0.6 * 200e9 / 8 });
    }

    private static void Table(TextWriter output, string name, ScalingModel model)
    {
        output.WriteLine($"  {name}: efficiency with 8, 32 and 128 images a rank; images a rank for 0.8");
        for (int ranks = 1; ranks <= Many; ranks *= 4)
        {
            string needed = ranks == 1 ? "" : Text($"; {model.ImagesFor(ranks, 0.8):0} ({ranks * model.ImagesFor(ranks, 0.8):0} in all)");
            output.WriteLine(Text($"    {ranks,5} ranks: {model.Efficiency(ranks, 8):0.00} {model.Efficiency(ranks, 32):0.00} {model.Efficiency(ranks, 128):0.00}{needed}"));
        }
    }

    // seconds = 2·hop + bytes/rate, for two ranks: from a small and a large sum.
    private static (double Hop, double Rate) Link(SortedDictionary<long, double> sums)
    {
        var (small, large) = (sums.First(), sums.Last());
        double rate = (large.Key - small.Key) / Math.Max(1e-9, large.Value - small.Value);
        return (Math.Max(0, small.Value - small.Key / rate) / 2, rate);
    }

    private static Rate Measure(int ranks, string[] size)
    {
        using var job = Start(ranks, size);
        return Read(job);
    }

    // Two single ranks at once: what computing takes when the neighbour computes too.
    private static double Parallel(string[] size)
    {
        using var one = Start(1, size);
        using var two = Start(1, size);
        return (Read(one).Step + Read(two).Step) / 2;
    }

    private static RankedJob Start(int ranks, string[] size)
    {
        string program = Path.GetFullPath("tests/Ranks/bin/Release/net10.0/MaskBias.MLNet.Ranks.dll");
        return RankedJob.Start(RankedJob.Launchers[0], ranks, ["dotnet", program, "rate", .. size]);
    }

    private static Rate Read(RankedJob job)
    {
        if (job.Wait(TimeSpan.FromMinutes(20)) != 0) throw new InvalidOperationException(job.Errors);
        using var json = JsonDocument.Parse(job.Output.Split('\n').First(l => l.StartsWith('{')));
        var root = json.RootElement;
        return new(root.GetProperty("stepSeconds").GetDouble(), root.GetProperty("sumSeconds").GetDouble(), root.GetProperty("gradientBytes").GetInt64(),
            root.GetProperty("copySeconds").GetDouble(),
            new(root.GetProperty("sums").EnumerateObject().ToDictionary(s => long.Parse(s.Name, CultureInfo.InvariantCulture), s => s.Value.GetDouble())));
    }

    private static string Half(string images) => (int.Parse(images, CultureInfo.InvariantCulture) / 2).ToString(CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Rate(double Step, double InSums, long Bytes, double Copy, SortedDictionary<long, double> Sums);
}
