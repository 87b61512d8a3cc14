using BenchmarkDotNet.Attributes;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Benchmarks.Kernels;

/// <summary>Token vectors of 64 masks of 224 × 224 pixels for a crop of 14 × 14 patches.</summary>
public class MaskTokenKernel
{
    private const int Masks = 64, Side = 224, Grid = 14, Patch = Side / Grid;

    private readonly float[] tokens = new float[Masks * Grid * Grid];
    private readonly MaskTokenizer tokenizer = new();
    private bool[][] bitmaps = [];
    private MaskSet masks = null!;

    /// <summary>Masks of blobs, as runs and as bitmaps.</summary>
    [GlobalSetup]
    public void Draw()
    {
        var random = new Random(1);
        bitmaps = [.. Enumerable.Range(0, Masks).Select(_ => RleBenchmark.Blob(random, Side))
            .Select(f => Enumerable.Range(0, Side * Side).Select(i => f(i % Side, i / Side)).ToArray())];
        masks = MaskSet.FromBitmaps(Side, Side, bitmaps);
    }

    /// <summary>Counting the pixels of bitmaps, of a crop that is the whole image: a crop between pixels would take more.</summary>
    [Benchmark(Baseline = true)]
    public float Pixels()
    {
        Array.Clear(tokens);
        for (int mask = 0; mask < Masks; mask++)
        {
            for (int y = 0; y < Side; y++)
            {
                int row = mask * Grid * Grid + y / Patch * Grid;
                for (int x = 0; x < Side; x++)
                {
                    if (bitmaps[mask][y * Side + x]) tokens[row + x / Patch] += 1f / (Patch * Patch);
                }
            }
        }
        return tokens[0];
    }

    /// <summary>From the masks' runs, of a crop whose borders lie between pixels.</summary>
    [Benchmark]
    public int Runs() => tokenizer.Compute(masks, new CropRegion(10.3, 20.7, 180.5, 170.2, true), Grid, Grid, tokens);
}
