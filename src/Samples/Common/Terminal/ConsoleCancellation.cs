using System.Runtime.InteropServices;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Common.Terminal;

/// <summary>
/// Turns Ctrl-C, and the signal that containers and clusters end a process with, into a cancellation: the first asks the work to stop, the
/// second ends the process.
/// </summary>
internal sealed class ConsoleCancellation : IDisposable
{
    private readonly IAnsiConsole console;
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration interrupt, terminate;

    public ConsoleCancellation(IAnsiConsole console)
    {
        this.console = console;
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        interrupt.Dispose();
        terminate.Dispose();
        source.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        if (source.IsCancellationRequested) return;
        context.Cancel = true;
        console.MarkupLine("[yellow]Stopping after this step. Press Ctrl-C again to end at once.[/]");
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work ended while the signal was on its way.
        }
    }
}
