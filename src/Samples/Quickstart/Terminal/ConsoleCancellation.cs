using Spectre.Console;

namespace MaskBias.MLNet.Samples.Quickstart.Terminal;

/// <summary>Turns Ctrl-C into a cancellation: the first press asks the work to stop, the second ends the process.</summary>
internal sealed class ConsoleCancellation : IDisposable
{
    private readonly IAnsiConsole console;
    private readonly CancellationTokenSource source = new();

    public ConsoleCancellation(IAnsiConsole console)
    {
        this.console = console;
        Console.CancelKeyPress += OnCancelKeyPress;
    }

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        Console.CancelKeyPress -= OnCancelKeyPress;
        source.Dispose();
    }

    private void OnCancelKeyPress(object? sender, ConsoleCancelEventArgs e)
    {
        if (source.IsCancellationRequested) return;
        e.Cancel = true;
        console.MarkupLine("[yellow]Stopping after this step. Press Ctrl-C again to end at once.[/]");
        source.Cancel();
    }
}
