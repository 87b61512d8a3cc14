using System.Diagnostics;
using System.Runtime.CompilerServices;
using MaskBias.MLNet.Samples.Search.Collection;
using MaskBias.MLNet.Training;

namespace MaskBias.MLNet.Samples.Search.Training;

/// <summary>Trains the probe in the background, one training at a time, and puts the new one in force when it is complete.</summary>
internal sealed class ProbeTraining : IAsyncDisposable
{
    private const int FewestImages = 2;             // of a class

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(50);

    private readonly ImageCollection collection;
    private readonly string path;
    private readonly int epochs;
    private readonly Lock gate = new();
    private CancellationTokenSource cancellation = new();
    private Task run = Task.CompletedTask;
    private TrainingState state = new(TrainingStatus.Idle);
    private TaskCompletionSource changed = New();
    private Probe? current;

    /// <param name="collection">Whose labels it learns.</param>
    /// <param name="options">Where it keeps the probe, and how long it trains.</param>
    /// <param name="modelId">Whose embeddings it classifies: the probe of another model is not used.</param>
    /// <param name="dimensions">Length of those.</param>
    public ProbeTraining(ImageCollection collection, SearchOptions options, string modelId, int dimensions)
    {
        (this.collection, epochs) = (collection, options.ProbeEpochs);
        path = Path.Combine(options.DataFolder, $"probe-{modelId}.zip");
        if (File.Exists(path)) current = Probe.Read(path, dimensions);
    }

    /// <summary>The probe in force, or null before the first training.</summary>
    public Probe? Current => Volatile.Read(ref current);

    public TrainingState State
    {
        get
        {
            lock (gate) return state;
        }
    }

    /// <summary>Starts a training.</summary>
    /// <returns>Why it cannot be started, or null where it was.</returns>
    public string? Start()
    {
        var labels = collection.Labels().Where(l => l.Value >= FewestImages).ToArray();
        if (labels.Length < 2)
        {
            return $"Training needs at least two labels with {FewestImages} images each; there {(labels.Length == 1 ? "is 1" : "are 0")}. "
                + "Label some images first.";
        }
        lock (gate)
        {
            if (!run.IsCompleted) return "The probe is being trained already.";
            cancellation.Dispose();
            cancellation = new();
            Set(new(TrainingStatus.Running));
            var token = cancellation.Token;
            run = Task.Run(() => RunAsync(token), CancellationToken.None);
        }
        return null;
    }

    public void Cancel()
    {
        lock (gate) cancellation.Cancel();
    }

    /// <summary>The state now and whenever it changes, until a training has ended.</summary>
    public async IAsyncEnumerable<TrainingState> WatchAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            TrainingState now;
            Task next;
            lock (gate) (now, next) = (state, changed.Task);
            yield return now;
            if (now.Status != TrainingStatus.Running) yield break;
            await next.WaitAsync(cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Cancel();
        await run;
        cancellation.Dispose();
    }

    private async Task RunAsync(CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        var start = new TrainingState(TrainingStatus.Running);
        try
        {
            var labelled = await collection.LabelledAsync(cancel);
            var counts = labelled.CountBy(l => l.Label).ToDictionary();
            labelled.RemoveAll(l => counts[l.Label] < FewestImages);        // none could be held out
            start = start with { Images = labelled.Count, Classes = labelled.DistinctBy(l => l.Label).Count() };
            if (start.Classes < 2) throw new InvalidOperationException("Labels were taken away meanwhile; two are needed.");
            var reports = new Reports(this, start, clock);
            var probe = Probe.Train(labelled, epochs, reports, cancel);
            probe.Save(path);
            Volatile.Write(ref current, probe);
            double seconds = clock.Elapsed.TotalSeconds;
            Set(start with { Status = TrainingStatus.Done, Progress = 1, Accuracy = reports.Accuracy, Seconds = seconds });
        }
        catch (OperationCanceledException)
        {
            Set(start with { Status = TrainingStatus.Cancelled, Seconds = clock.Elapsed.TotalSeconds });
        }
        catch (Exception e)                         // whatever it was, the app goes on with the old probe and the page says so
        {
            Set(start with { Status = TrainingStatus.Failed, Error = e.Message });
        }
    }

    private void Set(TrainingState next)
    {
        TaskCompletionSource before;
        lock (gate)
        {
            state = next;
            before = changed;
            changed = New();
        }
        before.SetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Called on the training thread after every step.
    private sealed class Reports(ProbeTraining training, TrainingState start, Stopwatch clock) : IProgress<TrainingProgress>
    {
        private TimeSpan next;

        public double? Accuracy { get; private set; }

        public void Report(TrainingProgress value)
        {
            if (value.Metrics.TryGetValue("validation accuracy", out double accuracy)) Accuracy = accuracy;
            if (clock.Elapsed < next) return;
            next = clock.Elapsed + ReportInterval;
            double share = (double)value.Step / value.Steps;
            training.Set(start with { Progress = share, Accuracy = Accuracy, Seconds = clock.Elapsed.TotalSeconds });
        }
    }
}
