using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;
using Microsoft.Win32.SafeHandles;
using TorchSharp;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// How fast a checkpoint of ViT-B, about 350 MB, loads against reading its bytes: from a disk, and from the system's memory; and how much
/// anonymous memory that takes. Linux.
/// </summary>
/// <remarks>
/// The bytes are read in blocks of 1 MiB that always go to the same place, which is the fastest that they can be had. Loading is given memory
/// that is new to the process, as in a program that has just begun: what earlier rounds used goes back to the system each time.
/// </remarks>
internal static partial class WeightsBenchmark
{
    private const int Rounds = 11, DontNeed = 4;
    private const double LeastRate = 0.7, MostMemory = 1.3;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        string folder = Directory.CreateTempSubdirectory("maskbias-weights-").FullName;
        try
        {
            string[] files = [Path.Combine(folder, "timm.safetensors"), Path.Combine(folder, "checkpoint.safetensors"), Path.Combine(folder, "mae.pth")];
            Write(files);
            MeasureMemory(files[2], output);
            foreach (string file in files)
            {
                Measure(file, cold: true, output);
                Measure(file, cold: false, output);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Write(string[] files)
    {
        using var encoder = new VisionEncoder(new VisionTransformer(VitOptions.Base()));
        EncoderExport.Save(encoder, files[0], ExportLayout.Timm);
        EncoderCheckpoint.Save(encoder, files[1]);
        EncoderExport.Save(encoder, files[2], ExportLayout.Mae);
    }

    private static void MeasureMemory(string file, TextWriter output)
    {
        long length = new FileInfo(file).Length, before = AnonymousMemory();
        using var watch = new MemoryWatch();
        EncoderCheckpoint.Load(file).Dispose();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  loading takes anonymous memory of {(double)(watch.Stop() - before) / length:0.00} times the file (at most {MostMemory} wanted)"));
    }

    // Read and loaded in turn, once the one first, once the other, so that both meet the same disk and the same neighbours on the machine.
    private static void Measure(string file, bool cold, TextWriter output)
    {
        double[] reading = new double[Rounds], loading = new double[Rounds];
        long length = new FileInfo(file).Length, readBefore = ReadFromDisk();
        for (int round = 0; round < Rounds; round++)
        {
            if (round % 2 == 0) reading[round] = Time(file, cold, ReadAll);
            VisionEncoder? encoder = null;
            loading[round] = Time(file, cold, path => encoder = EncoderCheckpoint.Load(path));
            encoder!.Dispose();
            if (round % 2 != 0) reading[round] = Time(file, cold, ReadAll);
        }
        double fromDisk = (double)(ReadFromDisk() - readBefore) / (2 * Rounds * length);
        double[] ratios = [.. reading.Zip(loading, (read, load) => read / load).Order()];
        string wanted = cold ? $" (at least {LeastRate.ToString(CultureInfo.InvariantCulture)} wanted)" : "";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {Path.GetFileName(file),-22} {length / 1e6:0} MB, {fromDisk,4:0%} from disk: read at {length / 1e6 / Timing.Median(reading):0} MB/s, loaded at "
            + $"{length / 1e6 / Timing.Median(loading):0} MB/s, a rate of {ratios[Rounds / 2]:0.00}{wanted}, in rounds {ratios[1]:0.00} to {ratios[^2]:0.00}"));
    }

    private static double Time(string file, bool cold, Action<string> action)
    {
        if (cold) Drop(file);
        RenewMemory(4 * new FileInfo(file).Length);
        long start = Stopwatch.GetTimestamp();
        action(file);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Drop(string file)
    {
        using var handle = File.OpenHandle(file);
        if (Advise(handle, 0, 0, DontNeed) != 0) throw new IOException("The file cannot be dropped from memory.");
    }

    // Memory that the process has no longer goes back to the system. A virtual machine's may have gone further, to the host, from which it
    // comes back slower than any disk reads: a used block is what the system gives first, to whoever asks.
    private static void RenewMemory(long length)
    {
        using (var block = torch.empty(length, torch.uint8)) LargePages.Under(block).fill_(1);
        _ = Trim(0);
    }

    private static void ReadAll(string file)
    {
        var buffer = new byte[1 << 20];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        while (stream.Read(buffer) > 0)
        {
        }
    }

    // What this process had read from disk, in bytes.
    private static long ReadFromDisk() => Number("/proc/self/io", "read_bytes:");

    // Memory that no file backs, in bytes.
    private static long AnonymousMemory() => 1024 * Number("/proc/self/status", "RssAnon:");

    private static long Number(string file, string name)
    {
        string line = File.ReadLines(file).First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nint keep);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    /// <summary>Looks at the memory every few milliseconds.</summary>
    private sealed class MemoryWatch : IDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Thread thread;
        private long peak;

        public MemoryWatch()
        {
            thread = new(() =>
            {
                do peak = Math.Max(peak, AnonymousMemory());
                while (!stop.Token.WaitHandle.WaitOne(5));
            });
            thread.Start();
        }

        public long Stop()
        {
            stop.Cancel();
            thread.Join();
            return peak = Math.Max(peak, AnonymousMemory());
        }

        public void Dispose()
        {
            Stop();
            stop.Dispose();
        }
    }
}
