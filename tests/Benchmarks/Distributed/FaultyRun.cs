using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MaskBias.MLNet.Benchmarks.Distributed;

/// <summary>
/// A short DINO run of the tool on two ranks that something happens to: it must end by itself, with a code other than 0, say why, and leave a
/// checkpoint that the run goes on from, on one rank or on two.
/// </summary>
/// <param name="tool">maskbias.dll.</param>
/// <param name="images">Folder of at least 16 images in class folders.</param>
/// <param name="folder">Where to work.</param>
/// <param name="epochs">Epochs of the run: so many that it is still training when the fault comes.</param>
internal sealed class FaultyRun(string tool, string images, string folder, int epochs = 60)
{
    // Only what hangs is waited for: ranks that others keep from the processor are not to be given up.
    private const int TimeoutSeconds = 60, HangTimeoutSeconds = 6;

    private static readonly TimeSpan MostToEnd = TimeSpan.FromSeconds(60), Patience = TimeSpan.FromMinutes(4);

    private readonly string output = Path.Combine(folder, "run");

    /// <summary>Runs, lets a fault happen, and resumes.</summary>
    /// <param name="launcher">The MPI launcher.</param>
    /// <param name="fault">What happens.</param>
    /// <param name="rank">To which rank; a full disk is rank 0's, images vanish for rank 1.</param>
    /// <param name="resumeOn">Ranks to go on with.</param>
    /// <returns>Null where all was as it must be, else what was not; and the seconds from the fault to the end.</returns>
    public (string? Wrong, double Seconds) Run(string launcher, RankFault fault, int rank, int resumeOn)
    {
        Directory.CreateDirectory(output);
        if (fault == RankFault.FullDisk) Mount("size=1m");
        string mine = Path.Combine(folder, "rank1", Path.GetFileName(images));
        if (fault == RankFault.Exception) Copy(images, mine);
        string[] strict = ["--image-cache-megabytes", "0", "--on-unreadable-image", "Throw"];
        int timeoutSeconds = fault == RankFault.Hang ? HangTimeoutSeconds : TimeoutSeconds;
        using var job = fault == RankFault.Exception
            ? RankedJob.StartEach(launcher, [.. Command(images, epochs), .. strict], [.. Command(mine, epochs), .. strict])
            : RankedJob.Start(launcher, 2, Command(images, epochs, timeoutSeconds));
        var begun = Stopwatch.StartNew();
        while (fault != RankFault.FullDisk && LastStep() == 0)
        {
            if (job.HasEnded || begun.Elapsed > Patience) return ($"no checkpoint: {job.Errors}", 0);
            Thread.Sleep(10);
        }
        if (fault == RankFault.Kill) job.Signal(rank, "KILL");
        if (fault == RankFault.Hang) job.Signal(rank, "STOP");
        if (fault == RankFault.Exception) Directory.Delete(mine, recursive: true);
        begun.Restart();
        int code;
        try
        {
            code = job.Wait(fault == RankFault.FullDisk ? Patience : MostToEnd);
        }
        catch (TimeoutException e)
        {
            return (e.Message, begun.Elapsed.TotalSeconds);
        }
        double seconds = begun.Elapsed.TotalSeconds;
        if (code == 0) return ("the job ended with 0", seconds);
        if (!SaysWhy(job.Errors, fault, rank)) return ($"the cause is not told: {job.Errors}", seconds);
        long kept = LastStep();
        if (kept == 0) return ("no checkpoint is left", seconds);
        if (fault == RankFault.FullDisk) Mount("remount,size=200m");
        using var again = RankedJob.Start(launcher, resumeOn, [.. Command(images, epochs), "--resume", .. fault == RankFault.Exception ? strict : []]);
        if (again.Wait(Patience) != 0) return ($"it does not go on: {again.Errors}", seconds);
        var steps = Losses().Select(l => l.Step).ToList();
        bool whole = steps.Count == steps.Distinct().Count() && steps.Count == steps.Max() && steps.Max() % epochs == 0;
        return (whole ? null : $"its steps are {string.Join(",", steps)}", seconds);
    }

    /// <summary>The loss of every step on record.</summary>
    public List<(long Step, double Loss)> Losses() => [.. File.ReadLines(Path.Combine(output, "metrics.jsonl")).Select(line =>
    {
        using var json = JsonDocument.Parse(line);
        return (json.RootElement.GetProperty("step").GetInt64(), json.RootElement.GetProperty("loss").GetDouble());
    })];

    /// <summary>The command of a run.</summary>
    public string[] Command(string from, int epochs, int timeoutSeconds = TimeoutSeconds) =>
    [
        "dotnet", tool, "pretrain", "dino", "--images", from, "--masks", "none", "--output", output, "--seed", "3", "--loader-threads", "1",
        "--encoder-image-size", "32", "--encoder-patch-size", "8", "--encoder-embed-dim", "24", "--encoder-depth", "2", "--encoder-heads", "3",
        "--head-out-dim", "64", "--head-hidden-dim", "32", "--head-bottleneck-dim", "16", "--views-local-views", "2", "--views-local-size", "16",
        "--batch-size", "8", "--learning-rate", "0.0005", "--precision", "Float32", "--epochs", epochs.ToString(CultureInfo.InvariantCulture), "--output-keep-checkpoints", "100",
        "--distributed-timeout-seconds", timeoutSeconds.ToString(CultureInfo.InvariantCulture),
    ];

    /// <summary>Gives a mounted disk back.</summary>
    public void Clean()
    {
        using var unmount = Process.Start(new ProcessStartInfo("umount", [output]) { RedirectStandardError = true });
        unmount?.WaitForExit();
    }

    // Rank 0 says it where it lives; where it was killed or stopped, the other one does.
    private static bool SaysWhy(string errors, RankFault fault, int rank)
    {
        string says = fault switch
        {
            RankFault.Kill => $"ank {rank} (process ",
            RankFault.Hang => $"for rank {rank} (process ",
            RankFault.Exception => "Rank 1 (process ",
            _ => "No space left",
        };
        return errors.Split('\n').Any(line => line.Contains(says, StringComparison.Ordinal) && (rank == 0 || !line.StartsWith("Rank 1: ", StringComparison.Ordinal)));
    }

    private long LastStep()
    {
        string checkpoints = Path.Combine(output, "checkpoints");
        if (!Directory.Exists(checkpoints)) return 0;
        return Directory.EnumerateDirectories(checkpoints, "step-*").Select(p => Path.GetFileName(p)[5..]).Where(n => n.All(char.IsAsciiDigit))
            .Select(n => long.Parse(n, CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Max();
    }

    private void Mount(string options)
    {
        using var mount = Process.Start("mount", ["-t", "tmpfs", "-o", options, "tmpfs", output]);
        mount.WaitForExit();
        if (mount.ExitCode != 0) throw new InvalidOperationException("no file system can be mounted here (that takes root)");
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
