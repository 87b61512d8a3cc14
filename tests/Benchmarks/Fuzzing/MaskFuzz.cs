using System.Diagnostics;
using System.Globalization;
using System.Text;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>
/// Damaged and hostile mask files of every format: each must be read or refused with a reason, soon, and without an allocation far beyond
/// the file.
/// </summary>
internal static class MaskFuzz
{
    private const int Inputs = 100_000, AllowedSeconds = 5;
    private const long AllowedBytes = 32 << 20;

    /// <summary>100,000 inputs of each format.</summary>
    public static void Run(TextWriter output) => Run(output, Inputs, seed: 1);

    /// <summary>As many inputs of each format.</summary>
    public static void Run(TextWriter output, int inputs, int seed)
    {
        var masks = Masks(seed);
        CocoRle[] runs = CocoRle.From(masks);
        byte[] sa1b = Written(Sa1bFile.From(masks, "a.jpg").Write), results = Written(s => CocoResults.Write(s, runs.Select(r => new CocoAnnotation(3, 1, r))));
        byte[] list = Encoding.UTF8.GetBytes($"[{string.Join(",", runs.Select(r => $"{{\"segmentation\":{{\"size\":[31,47],\"counts\":[{string.Join(",", r.Counts.ToArray())}]}},\"image_id\":3}}"))}]");
        byte[] instances = Encoding.UTF8.GetBytes("""
            {"images":[{"id":3,"file_name":"a.jpg","height":31,"width":47}],"annotations":[{"image_id":3,"category_id":1,"iscrowd":0,
            "segmentation":[[1,2,30,4,20.5,29],[5,5,40,7,10,25.25,3,3]]},{"image_id":3,"segmentation":
            """ + $"{{\"size\":[31,47],\"counts\":\"{runs[1].ToString().Replace("\\", "\\\\", StringComparison.Ordinal)}\"}}}}]}}");
        byte[] video = [.. "{\"masklet\":[["u8, .. Encoding.UTF8.GetBytes(string.Join(",", runs.Select(r => $"{{\"size\":[31,47],\"counts\":[{string.Join(",", r.Counts.ToArray())}]}}"))), .. "]],\"masklet_id\":[1,2]}"u8];
        byte[][] pictures = [.. from kind in new[] { (0, 1), (0, 8), (0, 16), (3, 4), (2, 8), (6, 16) } from interlaced in new[] { false, true }
                                select PngBytes.Write(23, 17, kind.Item1, kind.Item2, (x, y, _) => x / 4 + y / 6 & 1, interlaced)];
        byte[][] texts = [.. runs.Select(r => Encoding.UTF8.GetBytes(r.ToString()))];

        Try("run lengths", new MaskDamage(texts, seed).Next, b => CocoRle.Parse(31, 47, Encoding.UTF8.GetString(b)).ToMaskSet(), inputs, output);
        Try("SA-1B", new MaskDamage([sa1b, list], seed).Next, b => Sa1bFile.Parse(b, "x") is { Height: > 0 } file ? file.ToMaskSet() : null, inputs, output);
        Try("COCO", new MaskDamage([results, list, instances], seed).Next, ReadCoco, inputs, output);
        Try("SA-V", new MaskDamage([video], seed).Next, b => SavFile.Parse(b, "x") is { FrameCount: > 0 } file ? file.Frame(0) : null, inputs, output);
        Try("PNG", new MaskDamage(pictures, seed).Next, b => LabelMapFile.Parse(b, "x", [0]), inputs, output);
        Try("PNG, sums right", new PngDamage(seed).Next, b => LabelMapFile.Parse(b, "x", [0]), inputs, output);
    }

    private static MaskSet? ReadCoco(byte[] bytes)
    {
        _ = MaskSources.Recognize(bytes, "x");
        var file = CocoFile.Parse(bytes, "x");
        MaskSet? masks = null;
        foreach (long id in file.AnnotatedImages) masks = file.ReadMasks(id);
        return masks;
    }

    private static void Try(string format, Func<byte[]> next, Func<byte[], MaskSet?> read, int inputs, TextWriter output)
    {
        int accepted = 0, refused = 0;
        double longest = 0;
        long most = 0;
        var reasons = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < inputs; i++)
        {
            byte[] bytes = next();
            long start = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                if (read(bytes) is { } masks && MaskSet.Decode(masks.Encode()) is var again && !again.Equals(masks)) throw Fault(format, i, bytes, "was read wrongly");
                accepted++;
            }
            catch (Exception e) when (e is InvalidDataException or FormatException && e.Message.Length > 10)
            {
                refused++;
                reasons.Add(string.Concat(e.Message.Where(c => !char.IsAsciiDigit(c)).Take(60)));
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            double seconds = SlowInput.Best(Stopwatch.GetElapsedTime(start).TotalSeconds, AllowedSeconds, () => read(bytes));
            (most, longest) = (Math.Max(most, allocated), Math.Max(longest, seconds));
            if (allocated > AllowedBytes) throw Fault(format, i, bytes, $"made {allocated} bytes be allocated");
            if (seconds > AllowedSeconds) throw Fault(format, i, bytes, $"took {seconds} s");
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {format}: {inputs} inputs, {accepted} read, {refused} refused for {reasons.Count} kinds of reasons; "
            + $"at most {longest * 1000:0} ms and {most / 1024} KiB each"));
    }

    // 31 rows of 47: a disc, a ring, noise, and nothing.
    private static MaskSet Masks(int seed)
    {
        var random = new Random(seed);
        Func<int, int, bool>[] shapes = [(x, y) => Math.Abs(x - 20) + Math.Abs(y - 15) < 12, (x, y) => Math.Max(Math.Abs(x - 25), Math.Abs(y - 14)) is > 6 and < 10, (_, _) => random.Next(4) == 0, (_, _) => false];
        return MaskSet.FromBitmaps(31, 47, shapes.Select(s => Enumerable.Range(0, 31 * 47).Select(i => s(i % 47, i / 47)).ToArray()));
    }

    private static byte[] Written(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }

    private static InvalidOperationException Fault(string format, int input, byte[] bytes, string fault)
    {
        string kept = Path.Combine(Path.GetTempPath(), "maskbias-fuzz-input");
        File.WriteAllBytes(kept, bytes);
        return new($"Input {input} of {format}, {bytes.Length} bytes, {fault}; it is kept as {kept}.");
    }
}
