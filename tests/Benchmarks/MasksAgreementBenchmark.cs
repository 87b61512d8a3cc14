using System.Diagnostics;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>How well masks that know nothing of objects cover the objects: the built-in segmenter's, and stored label maps of regions.</summary>
internal static class MasksAgreementBenchmark
{
    public static void Run(TextWriter output)
    {
        string root = Environment.GetEnvironmentVariable("MASKBIAS_DATA") is { Length: > 0 } named ? named : "../shared/data";
        string data = Path.Combine(root, "clothing");
        if (!Directory.Exists(data))
        {
            output.WriteLine($"  {data} is not there: start from the repository's root beside ../shared, or name the data's folder in MASKBIAS_DATA.");
            return;
        }
        foreach (string split in new[] { "train", "test" }) Compare(output, data, split);
    }

    private static void Compare(TextWriter output, string data, string split)
    {
        var segmenter = new GraphSegmenter();
        var (segmented, regions) = (new Agreement(), new Agreement());
        var clock = new Stopwatch();
        int without = 0;
        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "images", split), "*.jpg", SearchOption.AllDirectories))
        {
            string name = Path.ChangeExtension(Path.GetRelativePath(Path.Combine(data, "images"), path), ".png");
            string mask = Path.Combine(data, "masks", name);
            if (!File.Exists(mask) || LabelMapFile.Read(mask) is not { Count: > 0 } objects)
            {
                without++;
                continue;
            }
            var image = ImageDecoder.Decode(File.ReadAllBytes(path), path);
            clock.Start();
            var found = segmenter.Segment(image.Pixels, image.Height, image.Width);
            clock.Stop();
            segmented.Add(objects, found);
            regions.Add(objects, LabelMapFile.Read(Path.Combine(data, "regions", name)));
        }
        output.WriteLine($"  {split}: {segmented.Images} images with an object mask, {without} without");
        output.WriteLine($"    built-in segmenter: {segmented}" + FormattableString.Invariant($", {segmented.Images / clock.Elapsed.TotalSeconds:0} images/s on one core"));
        output.WriteLine($"    regions/ label maps: {regions}");
    }

    // For each object, the largest intersection over union with any mask.
    private sealed class Agreement
    {
        private readonly List<double> best = [];
        private long masks;

        public int Images => best.Count;

        public void Add(MaskSet objects, MaskSet candidates)
        {
            byte[] bitmap = new byte[objects.Height * objects.Width];
            int[] before = new int[bitmap.Length + 1];              // covered pixels before each
            objects.CopyTo(0, bitmap);
            for (int i = 0; i < bitmap.Length; i++) before[i + 1] = before[i] + bitmap[i];
            double largest = 0;
            for (int k = 0; k < candidates.Count; k++)
            {
                var runs = candidates.Runs(k);
                long both = 0;
                for (int r = 0, position = 0; r + 1 < runs.Length; r += 2)
                {
                    int start = position + runs[r];
                    position = start + runs[r + 1];
                    both += before[position] - before[start];
                }
                largest = Math.Max(largest, (double)both / (objects.Area(0) + candidates.Area(k) - both));
            }
            best.Add(largest);
            masks += candidates.Count;
        }

        public override string ToString() => FormattableString.Invariant(
            $"mean best IoU {best.Average():0.000} (median {best.Order().ElementAt(best.Count / 2):0.000}), {(double)masks / best.Count:0.0} masks per image");
    }
}
