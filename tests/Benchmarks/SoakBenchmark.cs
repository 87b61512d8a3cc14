using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// A training process is killed with SIGKILL at random moments, again and again, also while it writes a checkpoint: every time it must go on,
/// and its final weights must be those of a run that nothing interrupted.
/// </summary>
internal static class SoakBenchmark
{
    private const int Kills = 50, KillsBetweenEarlyOnes = 10, Epochs = 200, ImagesPerClass = 4;

    public static void Run(TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("maskbias-soak-").FullName;
        try
        {
            ShapeScenes.Generate(Path.Combine(folder, "scenes"), new() { Size = 32, ImagesPerClass = ImagesPerClass });
            string run = Path.Combine(folder, "run"), whole = Path.Combine(folder, "whole");
            var clock = Stopwatch.StartNew();
            var (duringStart, duringWrite) = (0, 0);
            var random = new Random(1);
            for (int kill = 0; kill < Kills; kill++)
            {
                long before = LastStep(run);
                using var child = Start(folder, run);
                // Most are killed once they have gone on, some while they still load or resume.
                bool early = kill % KillsBetweenEarlyOnes == KillsBetweenEarlyOnes - 1;
                if (early) duringStart++;
                else WaitForStepAfter(before, run, child);
                Thread.Sleep(random.Next(early ? 1500 : 500));
                child.Kill();
                child.WaitForExit();
                string checkpoints = Path.Combine(run, "checkpoints");
                if (Directory.Exists(checkpoints) && Directory.EnumerateDirectories(checkpoints, "*.tmp").Any()) duringWrite++;
            }
            Finish(Start(folder, run));
            Finish(Start(folder, whole));
            bool same = Weights(run).SequenceEqual(Weights(whole));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {Kills} kills, {duringWrite} during the write of a checkpoint, {duringStart} while the process started: it went on every time; final weights {(same ? "equal the uninterrupted run's bit for bit" : "DIFFER from the uninterrupted run's")} ({clock.Elapsed.TotalSeconds:0} s)"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The child: trains into a folder, or goes on with what is there, and keeps a checkpoint after every step.</summary>
    public static int Train(string folder, string run)
    {
        TorchRuntime.EnsureLoaded();
        var ml = new MLContext(1);
        var photos = ml.Data.LoadImageFolder(Path.Combine(folder, "scenes"));
        var masked = ml.SelfSupervised().SegmentImages("Masks", "ImagePath").Fit(photos).Transform(photos);
        using var model = ml.SelfSupervised().Dino(new DinoOptions
        {
            MaskColumnName = "Masks", Encoder = new() { ImageSize = 32, PatchSize = 8, EmbedDim = 48, Depth = 3, Heads = 3 },
            Head = new() { OutDim = 64, HiddenDim = 64, BottleneckDim = 32 }, Views = new() { LocalViews = 2, LocalSize = 16 }, Epochs = Epochs, BatchSize = 8,
            Seed = 5, Device = ComputeDevice.Cpu, LoaderThreads = 2,
            Output = new() { Folder = run, WhenUsed = ExistingRun.Resume, CheckpointMinutes = 1e-9, KeepCheckpoints = 2 },
        }).Fit(masked);
        return 0;
    }

    private static Process Start(string folder, string run)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(SoakBenchmark).Assembly.Location);
        foreach (string argument in new[] { "soak-trainer", folder, run }) start.ArgumentList.Add(argument);
        var child = Process.Start(start)!;
        child.OutputDataReceived += (_, _) => { };
        child.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is not null) Console.Error.WriteLine(e.Data);
        };
        child.BeginOutputReadLine();
        child.BeginErrorReadLine();
        return child;
    }

    private static void WaitForStepAfter(long step, string run, Process child)
    {
        var clock = Stopwatch.StartNew();
        while (LastStep(run) <= step)
        {
            if (child.HasExited) throw new InvalidOperationException($"the run ended with {child.ExitCode} after step {step}");
            if (clock.Elapsed > TimeSpan.FromMinutes(2)) throw new TimeoutException($"the run does not go on from step {step}");
            Thread.Sleep(2);
        }
    }

    private static void Finish(Process child)
    {
        using (child)
        {
            child.WaitForExit();
            if (child.ExitCode != 0) throw new InvalidOperationException($"the run ended with {child.ExitCode}");
        }
    }

    private static long LastStep(string run)
    {
        string checkpoints = Path.Combine(run, "checkpoints");
        if (!Directory.Exists(checkpoints)) return 0;
        return Directory.EnumerateDirectories(checkpoints, "step-*").Select(p => Path.GetFileName(p)[5..])
            .Where(n => n.All(char.IsAsciiDigit)).Select(long.Parse).DefaultIfEmpty(0).Max();
    }

    private static byte[] Weights(string run)
    {
        string last = Path.Combine(run, "checkpoints", $"step-{LastStep(run):D9}", "encoder", EncoderCheckpoint.WeightsFile);
        return SHA256.HashData(File.ReadAllBytes(last));
    }
}
