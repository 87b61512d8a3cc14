using Microsoft.Extensions.Logging;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.Training;

/// <summary>Lines of a run for <c>MLContext.Log</c> and, where there is one, a logger.</summary>
/// <param name="host">The run's.</param>
/// <param name="logger">Receives the same, or null.</param>
/// <param name="rank">The rank that writes; those other than 0 say only what went wrong.</param>
internal sealed class RunLog(IHost host, ILogger? logger = null, int rank = 0) : IDisposable
{
    private static readonly Action<ILogger, string, Exception?> InfoLine =
        LoggerMessage.Define<string>(LogLevel.Information, new EventId(1, "Training"), "{Message}");

    private static readonly Action<ILogger, string, Exception?> WarningLine =
        LoggerMessage.Define<string>(LogLevel.Warning, new EventId(2, "TrainingWarning"), "{Message}");

    private readonly List<string> warnings = [];
    private readonly IChannel channel = host.Start("Training");
    private readonly Lock gate = new();               // the loader's threads warn too

    /// <summary>The warnings so far.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (gate) return [.. warnings];
        }
    }

    public void Info(string message)
    {
        if (rank > 0) return;
        lock (gate) channel.Info(MessageSensitivity.None, message);
        if (logger is not null) InfoLine(logger, message, null);
    }

    public void Warn(string message)
    {
        if (rank > 0) message = $"Rank {rank}: {message}";
        lock (gate)
        {
            channel.Warning(MessageSensitivity.None, message);
            warnings.Add(message);
        }
        if (logger is not null) WarningLine(logger, message, null);
    }

    public void Dispose() => channel.Dispose();
}
