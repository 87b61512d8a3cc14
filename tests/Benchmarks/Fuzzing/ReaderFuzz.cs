using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>
/// Damaged and hostile weight files: each must be read or refused by <see cref="InvalidDataException"/> with a reason, soon, without an
/// allocation beyond twice the file, and without running any code that it names.
/// </summary>
internal static class ReaderFuzz
{
    private const int Inputs = 100_000, AllowedSeconds = 5;
    private const long AllowedOverhead = 1 << 20;           // objects of the runtime's own, per file
    private const long AllowedSamOverhead = 4 << 20;        // its many modules, too

    /// <summary>100,000 inputs of each format.</summary>
    public static void Run(TextWriter output) => Run(output, Inputs, seed: 1);

    /// <summary>As many inputs of each format.</summary>
    public static void Run(TextWriter output, int inputs, int seed)
    {
        TorchRuntime.EnsureLoaded();
        string root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        string folder = Directory.CreateDirectory(Path.Combine(root, $"maskbias-fuzz-{Environment.ProcessId}-{seed}")).FullName;
        try
        {
            string plain = Path.Combine(folder, "good.safetensors"), pickled = Path.Combine(folder, "good.pth"), ran = Path.Combine(folder, "ran");
            using (var encoder = new VisionEncoder(new VisionTransformer(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 16, Depth = 1, Heads = 2 })))
            {
                EncoderExport.Save(encoder, plain, ExportLayout.Timm);
                EncoderExport.Save(encoder, pickled, ExportLayout.Dino);
            }
            File.Delete(Path.Combine(folder, EncoderCheckpoint.ConfigFile));
            var parts = PyTorchParts.Of(pickled);
            Try("safetensors", folder, new SafetensorsDamage(File.ReadAllBytes(plain), seed).Next, LoadEncoder, inputs, output);
            Try("PyTorch, zip", folder, new PyTorchDamage(parts, isLegacy: false, ran, seed).Next, LoadEncoder, inputs, output);
            Try("PyTorch, before 1.6", folder, new PyTorchDamage(parts, isLegacy: true, ran, seed).Next, LoadEncoder, inputs, output);
            byte[] segmenter = SegmentAnything(Path.Combine(folder, "sam.safetensors"));
            Try("Segment Anything", folder, new SafetensorsDamage(segmenter, seed).Next, path => SamModel.Load(path, decoderHeads: 1), inputs, output,
                AllowedSamOverhead);
            if (File.Exists(ran)) throw new InvalidOperationException("A pickle's code was run.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static VisionEncoder LoadEncoder(string path) => EncoderCheckpoint.Load(path, new() { Heads = 2 });

    private static byte[] SegmentAnything(string path)
    {
        using var model = new SamModel(new()
        {
            ImageSize = 32, PatchSize = 8, EmbedDim = 8, Depth = 2, Heads = 1, MlpDim = 8, WindowSize = 2, GlobalAttentionBlocks = [1], PromptDim = 8,
            MaskPromptDim = 4, DecoderDepth = 1, DecoderHeads = 1, DecoderMlpDim = 8, IouHeadDim = 8,
        });
        SafetensorsWriter.Write(path, model.state_dict());
        return File.ReadAllBytes(path);
    }

    private static void Try(
        string format, string folder, Func<byte[]> next, Func<string, IDisposable> load, int inputs, TextWriter output,
        long overhead = AllowedOverhead)
    {
        string path = Path.Combine(folder, "input");
        int read = 0, refused = 0;
        double longest = 0;
        long most = 0;
        var reasons = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < inputs; i++)
        {
            byte[] bytes = next();
            File.WriteAllBytes(path, bytes);
            long start = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                load(path).Dispose();
                read++;
            }
            catch (InvalidDataException e) when (e.Message.StartsWith(path, StringComparison.Ordinal) && e.Message.Length > path.Length + 20)
            {
                refused++;
                reasons.Add(Kind(e.Message[path.Length..]));
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            most = Math.Max(most, allocated);
            if (allocated > overhead + 2 * bytes.Length) throw Fault(format, i, bytes, $"made {allocated} bytes be allocated");
            double seconds = SlowInput.Best(Stopwatch.GetElapsedTime(start).TotalSeconds, AllowedSeconds, () => load(path).Dispose());
            longest = Math.Max(longest, seconds);
            if (seconds > AllowedSeconds) throw Fault(format, i, bytes, $"took {seconds} s");
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {format}: {inputs} inputs, {read} read, {refused} refused for {reasons.Count} kinds of reasons; "
            + $"at most {longest * 1000:0} ms and {most / 1024} KiB managed memory each"));
    }

    // A reason without its numbers and names
    private static string Kind(string reason) => string.Concat(reason.Take(60).Where(c => !char.IsAsciiDigit(c)));

    private static InvalidOperationException Fault(string format, int input, byte[] bytes, string fault)
    {
        string kept = Path.Combine(Path.GetTempPath(), "maskbias-fuzz-input");
        File.WriteAllBytes(kept, bytes);
        return new($"Input {input} of {format}, {bytes.Length} bytes, {fault}; it is kept as {kept}.");
    }
}
