using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;
using Microsoft.Win32.SafeHandles;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// How fast a checkpoint of ViT-B, about 350 MB, loads from a disk that has it not in memory, against reading its bytes; and how much anonymous
/// memory that takes. Linux.
/// </summary>
internal static partial class WeightsBenchmark
{
    private const int Rounds = 9, DontNeed = 4;
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
            foreach (string file in files) Measure(file, output);
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

    // The first load of the process: later ones take memory that it gave back.
    private static void MeasureMemory(string file, TextWriter output)
    {
        long length = new FileInfo(file).Length, before = AnonymousMemory();
        using var watch = new MemoryWatch();
        EncoderCheckpoint.Load(file).Dispose();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  loading takes anonymous memory of {(double)(watch.Stop() - before) / length:0.00} times the file (at most {MostMemory} wanted)"));
    }

    private static void Measure(string file, TextWriter output)
    {
        double[] reading = new double[Rounds], loading = new double[Rounds];
        long length = new FileInfo(file).Length;
        for (int round = 0; round < Rounds; round++)
        {
            reading[round] = Cold(file, () => ReadAll(file));
            VisionEncoder? encoder = null;
            loading[round] = Cold(file, () => encoder = EncoderCheckpoint.Load(file));
            encoder!.Dispose();
        }
        double disk = length / reading.Order().ElementAt(Rounds / 2), load = length / loading.Order().ElementAt(Rounds / 2);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {Path.GetFileName(file)}, {length / 1e6:0} MB: read at {disk / 1e6:0} MB/s, loaded at {load / 1e6:0} MB/s, a rate of {load / disk:0.00} (at least {LeastRate} wanted)"));
    }

    private static double Cold(string file, Action action)
    {
        using (var handle = File.OpenHandle(file))
        {
            if (Advise(handle, 0, 0, DontNeed) != 0) throw new IOException("The file cannot be dropped from memory.");
        }
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void ReadAll(string file)
    {
        var buffer = new byte[1 << 20];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        while (stream.Read(buffer) > 0)
        {
        }
    }

    // Memory that no file backs, in bytes.
    private static long AnonymousMemory()
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

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
