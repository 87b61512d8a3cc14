using MaskBias.MLNet.Experiments;

namespace MaskBias.MLNet.Tests.Experiments;

[Collection(nameof(LiveTensors))]
public sealed class MemoryLimitTests : IDisposable
{
    // A trial is stopped at nine tenths of the limit: this much above what earlier tests have left in memory.
    private const int Headroom = 400, Slack = 200;
    private const double StopShare = 0.9;

    private readonly ExperimentRuns runs = new();

    [Fact]
    public void A_trial_that_needs_too_much_is_stopped_and_the_others_go_on()
    {
        var settings = ExperimentRuns.Settings(3, "k-NN", "greedy");
        settings.Candidates.Add(ExperimentRuns.Acting("greedy", trial =>
        {
            var blocks = new List<byte[]>();
            for (int i = 0; i < 4 * Headroom && !trial.CancellationToken.IsCancellationRequested; i++)
            {
                blocks.Add(new byte[1 << 20]);
                Array.Fill(blocks[^1], (byte)1);
                Thread.Sleep(5);                         // some ten megabytes between two looks at the memory
            }
            trial.CancellationToken.ThrowIfCancellationRequested();
        }));
        settings.MaxMemoryMegabytes = (int)(((Environment.WorkingSet >> 20) + Headroom) / StopShare);
        using var result = runs.Run(settings);
        var greedy = result.Runs.First(r => r.Candidate == "greedy");
        Assert.Equal((TrialState.Failed, $"It came near the limit of {settings.MaxMemoryMegabytes} megabytes of memory and was stopped."), (greedy.State, greedy.Error));
        Assert.Equal("k-NN", result.BestRun.Trial.Candidate);
        Assert.True(result.PeakMemoryBytes >> 20 <= settings.MaxMemoryMegabytes + Slack, $"{result.PeakMemoryBytes >> 20} of {settings.MaxMemoryMegabytes}");
    }

    [Fact]
    public void A_limit_below_what_the_process_has_is_an_error()
    {
        var settings = ExperimentRuns.Settings(3);
        settings.MaxMemoryMegabytes = 64;
        Assert.Contains("MaxMemoryMegabytes is 64, which is too little for the features of the images",
            Assert.Throws<InvalidOperationException>(() => runs.Run(settings)).Message);
    }

    public void Dispose() => runs.Dispose();
}
