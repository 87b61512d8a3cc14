using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>COCO's compressed run lengths to masks and back, on one core: pixels of the masks per second.</summary>
internal static class RleBenchmark
{
    private const double LeastMegapixels = 300;

    public static void Run(TextWriter output)
    {
        foreach (var (name, side, count, isCovered) in ((string, int, int, Func<Random, Func<int, int, bool>>)[])
        [
            ("outlines", 224, 64, r => Blob(r, 224)),
            ("outlines", 1024, 32, r => Blob(r, 1024)),
            ("noise", 224, 64, r => (_, _) => r.Next(2) == 0),
        ])
        {
            var random = new Random(1);
            bool[][] bitmaps = [.. Enumerable.Range(0, count).Select(_ => isCovered(random)).Select(f => Enumerable.Range(0, side * side).Select(i => f(i % side, i / side)).ToArray())];
            var masks = MaskSet.FromBitmaps(side, side, bitmaps);
            string[] texts = [.. CocoRle.From(masks).Select(r => r.ToString())];
            byte[] pixels = new byte[side * side], copy = new byte[side * side];
            double megapixels = (double)count * side * side / 1e6;
            double[] seconds = Timing.Medians(9,
                () => { foreach (var rle in CocoRle.From(masks)) _ = rle.ToString(); },
                () => _ = CocoRle.ToMaskSet(side, side, texts.Select(t => CocoRle.Parse(side, side, t))),
                () => { foreach (var rle in CocoRle.From(MaskSet.FromBitmaps(side, side, bitmaps))) _ = rle.ToString(); },
                () =>
                {
                    var read = CocoRle.ToMaskSet(side, side, texts.Select(t => CocoRle.Parse(side, side, t)));
                    for (int k = 0; k < count; k++) read.CopyTo(k, pixels);
                },
                () => { for (int k = 0; k < count; k++) pixels.CopyTo(copy, 0); });
            output.WriteLine(FormattableString.Invariant($"  {name} of {side}x{side}, {texts.Average(t => t.Length):0} characters each: ")
                + FormattableString.Invariant($"encode {megapixels / seconds[0]:0}, decode {megapixels / seconds[1]:0}, both {megapixels / (seconds[0] + seconds[1]):0} Mpixel/s; ")
                + FormattableString.Invariant($"from bitmaps {megapixels / seconds[2]:0}, to bitmaps {megapixels / seconds[3]:0}, both {megapixels / (seconds[2] + seconds[3]):0} Mpixel/s ")
                + FormattableString.Invariant($"({(seconds[2] + seconds[3]) / seconds[4]:0.0} times copying the bitmaps)")
                + (name == "noise" ? "" : $" (at least {LeastMegapixels} wanted)"));
        }
    }

    // An outline that wobbles, as objects have.
    internal static Func<int, int, bool> Blob(Random random, int side)
    {
        double x0 = random.NextDouble() * side, y0 = random.NextDouble() * side, radius = (0.05 + random.NextDouble() * 0.3) * side, phase = random.NextDouble() * 6;
        return (x, y) =>
        {
            double dx = x - x0, dy = y - y0, angle = Math.Atan2(dy, dx);
            double limit = radius * (1 + 0.3 * Math.Sin(3 * angle + phase) + 0.1 * Math.Sin(11 * angle));
            return dx * dx + dy * dy < limit * limit;
        };
    }
}
