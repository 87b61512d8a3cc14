using System.Diagnostics;
using System.Globalization;

namespace MaskBias.MLNet.CudaPrograms;

/// <summary>Share of the time in which the device computes something, as nvidia-smi samples it.</summary>
internal sealed class BusyShare : IDisposable
{
    private readonly List<double> samples = [];
    private Process? process;

    /// <summary>Begins to sample.</summary>
    public void Begin()
    {
        const string Arguments = "--query-gpu=utilization.gpu --format=csv,noheader,nounits -lms 50";
        process = new() { StartInfo = new("nvidia-smi", Arguments) { RedirectStandardOutput = true } };
        process.OutputDataReceived += (_, line) =>
        {
            if (!double.TryParse(line.Data, CultureInfo.InvariantCulture, out double percent)) return;
            lock (samples) samples.Add(percent / 100);
        };
        process.Start();
        process.BeginOutputReadLine();
    }

    /// <summary>Mean of what was sampled so far.</summary>
    public double Mean()
    {
        lock (samples) return samples.Count == 0 ? double.NaN : samples.Average();
    }

    public void Dispose()
    {
        if (process is null) return;
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }
}
