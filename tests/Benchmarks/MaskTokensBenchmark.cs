using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>Mask token vectors of a batch: 64 crops of images with 64 masks of 224×224 each, 14×14 patches.</summary>
internal static class MaskTokensBenchmark
{
    private const int Batch = 64, Masks = 64, Side = 224, Grid = 14, Cores = 2;
    private const double MostMilliseconds = 150;

    public static void Run(TextWriter output)
    {
        var random = new Random(1);
        var images = Enumerable.Range(0, 8).Select(_ => MaskSet.FromBitmaps(Side, Side, Enumerable.Range(0, Masks).Select(_ => RleBenchmark.Blob(random, Side))
            .Select(f => Enumerable.Range(0, Side * Side).Select(i => f(i % Side, i / Side)).ToArray()))).ToArray();
        var crops = Enumerable.Range(0, Batch).Select(i => Crop(random, i)).ToArray();
        var tokenizer = new MaskTokenizer();
        float[][] tokens = [.. Enumerable.Range(0, Batch).Select(_ => new float[Masks * Grid * Grid])];
        void Compute(int i) => tokenizer.Compute(images[i % images.Length], crops[i], Grid, Grid, tokens[i]);

        double[] seconds = Timing.Medians(15,
            () => Parallel.For(0, Batch, new ParallelOptions { MaxDegreeOfParallelism = Cores }, Compute),
            () => { for (int i = 0; i < Batch; i++) Compute(i); });
        output.WriteLine(FormattableString.Invariant($"  {Batch} crops, {Masks} masks of {Side}x{Side}: {seconds[0] * 1000:0.0} ms on {Cores} cores (at most {MostMilliseconds} wanted), ")
            + FormattableString.Invariant($"{seconds[1] * 1000:0.0} ms on one: {seconds[1] / seconds[0]:0.00} times as fast"));
    }

    private static CropRegion Crop(Random random, int i)
    {
        double side = Side * Math.Sqrt(0.4 + 0.6 * random.NextDouble());
        return new(random.NextDouble() * (Side - side), random.NextDouble() * (Side - side), side, side, i % 2 == 0);
    }
}
