using System.Diagnostics;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>
/// Other processes of this program that work on the same study. They stop when their input ends: when they are asked to, or this process is
/// gone.
/// </summary>
internal sealed class StudyWorkers : IDisposable
{
    private readonly List<(Process Process, Task Output)> workers = [];
    private readonly CancellationTokenRegistration stopping;

    private StudyWorkers(int count, string[] arguments, StudyFolder folder, CancellationToken stop)
    {
        for (int i = 0; i < count; i++) workers.Add(Start(arguments,
            Path.Combine(folder.Root, "work", "logs", FormattableString.Invariant($"worker-{i + 2}.log"))));
        stopping = stop.Register(() => workers.ForEach(w => w.Process.StandardInput.Close()));
    }

    /// <summary>Starts processes; what they say goes to files.</summary>
    public static StudyWorkers Start(int count, string[] arguments, StudyFolder folder, CancellationToken stop) =>
        new(count, arguments, folder, stop);

    /// <summary>Cancels once the input of this process ends.</summary>
    public static void StopWithParent(CancellationTokenSource stop) => new Thread(() =>
    {
        while (Console.In.Read() >= 0) { }
        try
        {
            stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work was done already.
        }
    }) { IsBackground = true }.Start();

    /// <summary>Waits until all have ended.</summary>
    public void Wait()
    {
        foreach (var (process, output) in workers)
        {
            process.WaitForExit();
            output.Wait();
        }
    }

    public void Dispose()
    {
        stopping.Dispose();
        foreach (var (process, _) in workers)
        {
            if (!process.HasExited) process.StandardInput.Close();
            process.Dispose();
        }
    }

    private static (Process, Task) Start(string[] arguments, string log)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        string program = Environment.ProcessPath!;
        // "dotnet maskbias.dll", or the program itself.
        string[] before = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        var process = Process.Start(new ProcessStartInfo(program, [.. before, .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var file = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
        var output = Task.WhenAll(Copy(process.StandardOutput, file), Copy(process.StandardError, file))
            .ContinueWith(_ => file.Dispose(), TaskScheduler.Default);
        return (process, output);
    }

    private static async Task Copy(StreamReader from, TextWriter to)
    {
        while (await from.ReadLineAsync().ConfigureAwait(false) is { } line) await to.WriteLineAsync(line).ConfigureAwait(false);
    }
}
