using System.Diagnostics;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Samples.Scenes;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>How fast the built-in segmenter is on cluttered scenes, on one thread.</summary>
internal static class SegmenterBenchmark
{
    private const double LeastImagesPerSecond = 60;

    public static void Run(TextWriter output)
    {
        foreach (int size in new[] { 64, 96, 224 })
        {
            var options = new ShapeSceneOptions { Size = size };
            var scenes = Enumerable.Range(0, 100).Select(i => ShapeScenes.Render(i % 10, i / 10, options).Rgb).ToArray();
            var segmenter = new GraphSegmenter();
            segmenter.Segment(scenes[0], size, size);
            long start = Stopwatch.GetTimestamp();
            int masks = scenes.Sum(rgb => segmenter.Segment(rgb, size, size).Count);
            double rate = scenes.Length / Stopwatch.GetElapsedTime(start).TotalSeconds;
            output.WriteLine(FormattableString.Invariant($"  {size} px: {rate:0} images/s, {masks / (double)scenes.Length:0} masks per image")
                + (size == 96 ? $" (at least {LeastImagesPerSecond} wanted)" : ""));
        }
    }
}
