using System.ComponentModel;
using System.Diagnostics;

namespace MaskBias.MLNet.Tests;

/// <summary>
/// A process whose output is read as it comes and that is killed at a deadline, or with its test: it can neither wait for a reader nor
/// outlive the tests.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process process;
    private readonly Task<string> output, errors;
    private readonly CancellationTokenSource deadline;

    /// <param name="start">The program; its output is redirected.</param>
    /// <param name="seconds">Time until it is killed.</param>
    public ChildProcess(ProcessStartInfo start, double seconds = 300)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        process = Process.Start(start)!;
        (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        deadline = new(TimeSpan.FromSeconds(seconds));
        deadline.Token.Register(Kill);
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>Waits until it has ended by itself; fails at the deadline.</summary>
    public (int Code, string Output, string Errors) End()
    {
        try
        {
            Task.WhenAll(process.WaitForExitAsync(), output, errors).Wait(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} did not end in time.");
        }
        Assert.False(deadline.IsCancellationRequested, $"{process.StartInfo.FileName} was killed at its deadline.");
        return (process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>Asks it to stop, as Ctrl-C does.</summary>
    public void Interrupt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the signal is sent with kill");
        using var kill = new ChildProcess(new("kill", [IgnoresInterrupts ? "-TERM" : "-INT", $"{Id}"]));
        kill.End();
    }

    // A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
    private bool IgnoresInterrupts
    {
        get
        {
            string status = $"/proc/{Id}/status";
            string? ignored = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) : null;
            return ignored is not null && (Convert.ToUInt64(ignored[7..].Trim(), 16) & 2) != 0;
        }
    }

    /// <summary>Kills it and what it has started.</summary>
    public void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended.
        }
    }

    public void Dispose()
    {
        Kill();
        deadline.Dispose();
        process.Dispose();
    }
}
