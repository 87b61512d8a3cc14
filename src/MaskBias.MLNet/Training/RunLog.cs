using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.Training;

/// <summary>Lines of a run for <c>MLContext.Log</c>.</summary>
internal sealed class RunLog(IHost host) : IDisposable
{
    private readonly IChannel channel = host.Start("Training");
    private readonly Lock gate = new();               // the loader's threads warn too

    public void Info(string message)
    {
        lock (gate) channel.Info(MessageSensitivity.None, message);
    }

    public void Warn(string message)
    {
        lock (gate) channel.Warning(MessageSensitivity.None, message);
    }

    public void Dispose() => channel.Dispose();
}
