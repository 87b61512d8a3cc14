using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace MaskBias.MLNet.Benchmarks.Distributed;

/// <summary>A job of several processes under an MPI launcher, and its processes by their ranks.</summary>
internal sealed class RankedJob : IDisposable
{
    private const string Mark = "MASKBIAS_JOB";

    private readonly string mark = Guid.NewGuid().ToString("n");
    private readonly Process launcher;
    private readonly StringBuilder output = new(), errors = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();

    private RankedJob(string launcher, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(launcher, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment[Mark], start.Environment["OMP_NUM_THREADS"], start.Environment["TERM"]) = (mark, "1", "dumb");
        (start.Environment["OMPI_ALLOW_RUN_AS_ROOT"], start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]) = ("1", "1");
        this.launcher = Process.Start(start)!;
        this.launcher.OutputDataReceived += (_, e) => Keep(output, e.Data);
        this.launcher.ErrorDataReceived += (_, e) => Keep(errors, e.Data);
        this.launcher.BeginOutputReadLine();
        this.launcher.BeginErrorReadLine();
    }

    /// <summary>Launchers of this machine: <c>mpirun.openmpi</c> and <c>mpirun.mpich</c> where a distribution tells them apart, else <c>mpirun</c>.</summary>
    public static IReadOnlyList<string> Launchers { get; } = Find();

    public string Output => Text(output);

    public string Errors => Text(errors);

    public bool HasEnded => launcher.HasExited;

    /// <summary>Starts ranks of one program.</summary>
    public static RankedJob Start(string launcher, int ranks, IEnumerable<string> program) => new(launcher, [.. Flags(launcher), .. Ranks(ranks, program)]);

    /// <summary>Starts a rank of each program.</summary>
    public static RankedJob StartEach(string launcher, params IEnumerable<string>[] programs) =>
        new(launcher, [.. Flags(launcher), .. programs.SelectMany((p, i) => (IEnumerable<string>)[.. i == 0 ? Array.Empty<string>() : [":"], .. Ranks(1, p)])]);

    /// <summary>The process of a rank.</summary>
    /// <exception cref="InvalidOperationException">There is none: it has ended, or has not begun.</exception>
    public int ProcessOf(int rank)
    {
        string[] names = ["OMPI_COMM_WORLD_RANK=", "PMI_RANK="];
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(f => char.IsAsciiDigit(Path.GetFileName(f)[0])))
        {
            try
            {
                string[] variables = File.ReadAllText(Path.Combine(folder, "environ")).Split('\0');
                if (!variables.Contains($"{Mark}={mark}") || !names.Any(n => variables.Contains(n + rank.ToString(CultureInfo.InvariantCulture)))) continue;
                return int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It is another's, or has ended.
            }
        }
        throw new InvalidOperationException($"Rank {rank} has no process: it has ended, or has not begun. {Errors}");
    }

    /// <summary>Sends a signal, such as KILL or STOP, to a rank.</summary>
    public void Signal(int rank, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, ProcessOf(rank).ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        if (kill.ExitCode != 0) throw new InvalidOperationException($"SIG{signal} does not reach rank {rank}: it has ended. {Errors}");
    }

    /// <summary>Waits for the end of the whole job.</summary>
    /// <returns>The launcher's exit code.</returns>
    /// <exception cref="TimeoutException">It does not end; it was ended.</exception>
    public int Wait(TimeSpan patience)
    {
        if (!launcher.WaitForExit(patience))
        {
            launcher.Kill(entireProcessTree: true);
            throw new TimeoutException($"The job did not end within {patience.TotalSeconds:0} s: {Errors}");
        }
        launcher.WaitForExit();
        return launcher.ExitCode;
    }

    public void Dispose()
    {
        if (!launcher.HasExited) launcher.Kill(entireProcessTree: true);
        launcher.Dispose();
    }

    private static IEnumerable<string> Flags(string launcher) =>
        launcher.EndsWith("mpich", StringComparison.Ordinal) ? ["-disable-auto-cleanup"] : ["--oversubscribe", "--bind-to", "none"];

    private static IEnumerable<string> Ranks(int ranks, IEnumerable<string> program) => ["-np", ranks.ToString(CultureInfo.InvariantCulture), .. program];

    private static List<string> Find()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var told = new[] { "mpirun.openmpi", "mpirun.mpich" }.Where(Exists).ToList();
        return told.Count > 0 ? told : new[] { "mpirun" }.Where(Exists).ToList();

        bool Exists(string name) => folders.Any(f => File.Exists(Path.Combine(f, name)));
    }

    private static void Keep(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (text) text.AppendLine(line);
    }

    private static string Text(StringBuilder text)
    {
        lock (text) return text.ToString();
    }
}
