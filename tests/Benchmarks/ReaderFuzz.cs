using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// Damaged and hostile weight files, 100,000 of each format: each must be read or refused by <see cref="InvalidDataException"/>, soon, and
/// without an allocation beyond twice the file.
/// </summary>
internal static class ReaderFuzz
{
    private const int Inputs = 100_000, AllowedSeconds = 5;
    private const long AllowedOverhead = 1 << 20;           // objects of the runtime's own, per file

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        string folder = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        folder = Directory.CreateDirectory(Path.Combine(folder, $"maskbias-fuzz-{Environment.ProcessId}")).FullName;
        try
        {
            string good = Path.Combine(folder, "good.safetensors");
            using (var encoder = new VisionEncoder(new VisionTransformer(new() { ImageSize = 16, PatchSize = 8, EmbedDim = 16, Depth = 1, Heads = 2 })))
                EncoderExport.Save(encoder, good, ExportLayout.Timm);
            File.Delete(Path.Combine(folder, EncoderCheckpoint.ConfigFile));
            var damage = new SafetensorsDamage(File.ReadAllBytes(good), seed: 1);
            Run("safetensors", Path.Combine(folder, "bad.safetensors"), damage.Next, output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Run(string format, string path, Func<byte[]> next, TextWriter output)
    {
        int read = 0, refused = 0;
        double longest = 0;
        long most = 0;
        for (int i = 0; i < Inputs; i++)
        {
            byte[] bytes = next();
            File.WriteAllBytes(path, bytes);
            long start = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                EncoderCheckpoint.Load(path, new() { Heads = 2 }).Dispose();
                read++;
            }
            catch (InvalidDataException e) when (e.Message.Length > 20)
            {
                refused++;
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            most = Math.Max(most, allocated);
            if (allocated > AllowedOverhead + 2 * bytes.Length) throw new InvalidOperationException($"Input {i} of {format} made {allocated} bytes be allocated.");
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            longest = Math.Max(longest, seconds);
            if (seconds > AllowedSeconds) throw new InvalidOperationException($"Input {i} of {format} took {seconds} s.");
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {format}: {Inputs} inputs, {read} read, {refused} refused with a reason; at most {longest * 1000:0} ms and {most / 1024} KiB managed memory each"));
    }

    /// <summary>Makes damaged files of a good one: bytes, numbers and strings of its header changed, parts repeated, cut and moved.</summary>
    private sealed class SafetensorsDamage(byte[] good, int seed)
    {
        private static readonly string[] Replacements =
        [
            "-1", "9223372036854775807", "18446744073709551616", "4611686018427387904", "1e9", "2.5", "0", "null", "{}", "[]", "\"\"",
            "[[[[1]]]]", "\"F64\"", "\"BOOL\"", "\"X\"", "{\"a\":", ",", "}", "\\u0000", "\"cls_token\"", "\"data_offsets\"",
        ];

        private readonly Random random = new(seed);
        private readonly int header = (int)BinaryPrimitives.ReadInt64LittleEndian(good);

        public byte[] Next()
        {
            string json = Encoding.UTF8.GetString(good, 8, header);
            int changes = random.Next(1, 4);
            for (int i = 0; i < changes; i++) json = Change(json);
            byte[] text = Encoding.UTF8.GetBytes(json), data = good[(8 + header)..], length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, random.Next(20) == 0 ? random.NextInt64() : text.Length);
            byte[] bytes = [.. length, .. text, .. data];
            for (int i = random.Next(3); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
        }

        private string Change(string json)
        {
            int at = random.Next(json.Length), end = Math.Min(json.Length, at + random.Next(1, 40));
            string piece = Replacements[random.Next(Replacements.Length)];
            switch (random.Next(6))
            {
                case 0: return json[..at] + piece + json[end..];
                case 1: return json[..at] + piece + json[at..];
                case 2: return json[..at] + json[end..];
                case 3: return json[..end] + json[at..];
                default:
                    // a whole number, which keeps the rest well-formed
                    int digit = json.IndexOfAny("0123456789".ToCharArray(), at);
                    if (digit < 0) return json;
                    int stop = digit;
                    while (stop < json.Length && char.IsAsciiDigit(json[stop])) stop++;
                    return json[..digit] + (random.Next(2) == 0 ? piece : $"{random.NextInt64() >> random.Next(64)}") + json[stop..];
            }
        }
    }
}
