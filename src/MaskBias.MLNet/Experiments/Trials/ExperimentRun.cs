using System.Diagnostics;
using System.Globalization;
using MaskBias.MLNet.Experiments.Output;
using MaskBias.MLNet.Experiments.Search;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.Experiments.Trials;

/// <summary>One execution of an experiment: features, trial after trial, and the best one's model.</summary>
internal sealed class ExperimentRun : IDisposable
{
    private const int LongestError = 500;

    private readonly IHost host;
    private readonly MLContext context;
    private readonly ExperimentSettings settings;
    private readonly IDataView input;
    private readonly IReadOnlyDictionary<string, VisionEncoder> encoders;
    private readonly IExperimentTask task;
    private readonly RunLog log;
    private readonly RunFile? file;
    private readonly MemoryGuard memory;
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly TimeSpan before;                       // spent before the experiment was interrupted
    private readonly int seed;
    private readonly CancellationTokenSource stop;
    private readonly List<ExperimentTrial> trials;

    public ExperimentRun(
        MLContext context, ExperimentSettings settings, IDataView input, IReadOnlyDictionary<string, VisionEncoder> encoders)
    {
        (this.context, this.settings, this.input, this.encoders, task) = (context, settings, input, encoders, settings.Task);
        file = RunFile.Open(settings.RunFile, settings.WhenUsed);
        host = ((IHostEnvironment)context).Register("Experiment");
        log = new(host);
        memory = new(settings.MaxMemoryMegabytes);
        trials = [.. file?.Trials ?? []];
        before = trials.Count == 0 ? TimeSpan.Zero : trials[^1].Elapsed;
        seed = settings.Seed ?? file?.Earlier?.Seed ?? host.Rand.Next();
        stop = CancellationTokenSource.CreateLinkedTokenSource(settings.CancellationToken);
        if (settings.MaxTime is { } most) stop.CancelAfter(Left(most) < TimeSpan.FromDays(24) ? Left(most) : Timeout.InfiniteTimeSpan);
    }

    public ExperimentResult Execute()
    {
        var data = LoadData();
        var setups = settings.Chosen.Select(c => new TrialSetup(c, [.. encoders.Keys], settings.Features)).ToList();
        file?.Begin(Header(data, setups));
        var splits = DataSplits.Make(data.Labels, settings, seed);
        var search = new CostFrugalSearch([.. setups.Select(s => new SearchArm(s.Space, s.Candidate.RelativeCost))],
            settings.MaxTime?.TotalSeconds ?? settings.MaxTrials!.Value, settings.MaxTime is null, seed);
        foreach (var trial in trials) search.Tell(ArmOf(trial), trial.Point, LossOf(trial), Seconds(trial));
        if (trials.Count > 0) log.Info($"Experiment: {trials.Count} trials of {settings.RunFile} are gone on from.");

        var runner = new TrialRunner(task, settings, data);
        var best = Best();
        TrialOutcome? kept = null;
        StopReason reason;
        try
        {
            while (!IsOver(search, out reason, out var next))
            {
                var setup = setups[next.Arm];
                var (trial, outcome) = Try(runner, setup, next.Point, splits);
                trials.Add(trial);
                log.Info(trial.ToString());
                if (trial.State != TrialState.Stopped)
                {
                    search.Tell(next.Arm, next.Point, LossOf(trial), Seconds(trial));
                    file?.Add(trial);
                }
                if (outcome is not null && ReferenceEquals(Best(), trial))
                {
                    kept?.Dispose();
                    (best, kept) = (trial, outcome);
                }
                else
                {
                    outcome?.Dispose();
                }
                settings.Progress?.Report(trial);
            }
            if (best is null) throw NoTrial(reason, data);
            var winner = setups[ArmOf(best)];
            int[] learned = splits.Count > 1 ? [.. Enumerable.Range(0, data.Count)] : splits[0].Train;
            var model = kept?.Model ?? runner.Fit(winner, best.Point, best.Seed, learned);
            return new(task, [.. trials], new(best, runner.Assemble(winner, best.Point, model, input.Schema)), reason)
            {
                Seed = seed, Rows = data.Count, EmbeddingTime = data.EmbeddingTime, Elapsed = clock.Elapsed, PeakMemoryBytes = memory.Peak,
                Warnings = log.Warnings,
            };
        }
        catch
        {
            kept?.Dispose();
            throw;
        }

        int ArmOf(ExperimentTrial trial)
        {
            int arm = setups.FindIndex(s => s.Candidate.Name == trial.Candidate);
            if (arm >= 0 && trial.Point.Length == setups[arm].Space.Parameters.Count) return arm;
            throw new InvalidDataException($"{settings.RunFile}: trial {trial.Number} is of {trial.Candidate} with {trial.Point.Length} parameters, "
                + "which there is not.");
        }
    }

    public void Dispose()
    {
        memory.Dispose();
        stop.Dispose();
        log.Dispose();
        file?.Dispose();
    }

    private TimeSpan Elapsed => before + clock.Elapsed;

    private TimeSpan Left(TimeSpan most) => most > Elapsed ? most - Elapsed : TimeSpan.Zero;

    private ExperimentData LoadData()
    {
        using var loading = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        memory.Watch(loading);
        try
        {
            return ExperimentData.Load(context, input, encoders, task, settings.ImageColumnName, settings.LabelColumnName, log, loading.Token);
        }
        catch (OperationCanceledException e) when (memory.HasStopped)
        {
            throw new InvalidOperationException($"MaxMemoryMegabytes is {settings.MaxMemoryMegabytes}, which is too little for the features of the "
                + $"images: the process had {memory.Peak >> 20} megabytes. Raise it, or give fewer encoders.", e);
        }
        catch (OperationCanceledException e) when (!settings.CancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException($"MaxTime is {settings.MaxTime}, which was over before the features of the images were computed and "
                + "one trial was complete. Give more time, or fewer images.", e);
        }
        finally
        {
            memory.Watch(null);
        }
    }

    private RunHeader Header(ExperimentData data, List<TrialSetup> setups) => new()
    {
        Task = task.Name, Seed = seed, Budget = settings.MaxTime is null ? "trials" : "time", Data = data.Fingerprint,
        Encoders = encoders.ToDictionary(e => e.Key, e => Fingerprint.Of(e.Value)),
        Settings = new Dictionary<string, string>([.. OptionsDescription.Of(settings), RandomStreams.Version, .. setups.Select(s =>
            KeyValuePair.Create($"Search space of {s.Candidate.Name}", string.Join(", ", s.Space.Parameters.Select(p => p.Name))))]),
    };

    private bool IsOver(CostFrugalSearch search, out StopReason reason, out (int Arm, double[] Point) next)
    {
        (reason, next) = (StopReason.Cancelled, default);
        if (settings.CancellationToken.IsCancellationRequested) return true;
        reason = StopReason.MaxTrials;
        if (trials.Count >= settings.MaxTrials) return true;
        reason = StopReason.MaxTime;
        double left = settings.MaxTime is { } most ? Left(most).TotalSeconds : double.PositiveInfinity;
        if (left <= 0 || stop.IsCancellationRequested) return true;
        if (search.Next(left) is { } proposal)
        {
            next = proposal;
            return false;
        }
        if (search.IsExhausted) reason = StopReason.Exhausted;
        return true;
    }

    private (ExperimentTrial Trial, TrialOutcome? Outcome) Try(
        TrialRunner runner, TrialSetup setup, double[] point, IReadOnlyList<(int[] Train, int[] HeldOut)> splits)
    {
        int number = trials.Count + 1;
        var started = clock.Elapsed;
        var trial = new ExperimentTrial
        {
            Number = number, Candidate = setup.Candidate.Name, Encoder = setup.EncoderAt(point), Features = setup.FeaturesAt(point),
            Parameters = setup.Print(point), Point = point, Seed = RandomStreams.Seed(seed, number, RandomStream.Trial), State = TrialState.Failed,
        };
        using var trying = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        memory.Watch(trying);
        try
        {
            var outcome = runner.Run(setup, point, trial.Seed, splits, trying.Token);
            double metric = outcome.Metrics[task.Metric];
            double perImage = outcome.ScoringTime.TotalMilliseconds / outcome.ScoredRows
                + (trial.Features is null ? 0 : runner.EncoderOf(setup, point).MillisecondsPerImage);
            trial = trial with
            {
                Metrics = outcome.Metrics, TrainingTime = outcome.TrainingTime, ScoringTime = outcome.ScoringTime, Elapsed = Elapsed,
                ModelBytes = outcome.ModelBytes, MillisecondsPerImage = perImage,
            };
            if (double.IsFinite(metric)) return (trial with { State = TrialState.Completed, Metric = metric }, outcome);
            outcome.Dispose();
            return (trial with { Error = string.Create(CultureInfo.InvariantCulture, $"{task.Metric} is {metric}.") }, null);
        }
        catch (Exception e)                 // whatever a trainer does, the next candidate gets its turn
        {
            var ended = trial with { TrainingTime = clock.Elapsed - started, Elapsed = Elapsed };
            bool stopped = stop.IsCancellationRequested && !memory.HasStopped;
            return (ended with { State = stopped ? TrialState.Stopped : TrialState.Failed, Error = Reason(e) }, null);
        }
        finally
        {
            memory.Watch(null);
        }
    }

    private string Reason(Exception e)
    {
        if (memory.HasStopped) return $"It came near the limit of {settings.MaxMemoryMegabytes} megabytes of memory and was stopped.";
        if (settings.CancellationToken.IsCancellationRequested) return "The experiment was cancelled.";
        if (stop.IsCancellationRequested) return "The time was over.";
        string error = $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}";
        return error.Length > LongestError ? error[..LongestError] + "…" : error;
    }

    private Exception NoTrial(StopReason reason, ExperimentData data)
    {
        if (reason == StopReason.Cancelled)
            return new OperationCanceledException("The experiment was cancelled before a trial was complete.", settings.CancellationToken);
        var failed = trials.Where(t => t.State == TrialState.Failed).ToList();
        if (failed.Count > 0)
        {
            return new InvalidOperationException($"None of {trials.Count} trials succeeded:"
                + string.Concat(failed.GroupBy(t => t.Candidate).Select(g => $"\n  - {g.Key}: {g.First().Error}")));
        }
        return new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
            $"MaxTime is {settings.MaxTime}, which was over before one trial was complete: the features of {data.Count} images took "
            + $"{data.EmbeddingTime.TotalSeconds:0.0} s, and then {trials.LastOrDefault()?.Candidate ?? "no candidate"} was tried. Give more time."));
    }

    private ExperimentTrial? Best() => ExperimentResult.Rank(trials, task.HigherIsBetter).FirstOrDefault();

    private double LossOf(ExperimentTrial trial) =>
        trial.Metric is { } metric ? task.HigherIsBetter ? -metric : metric : double.PositiveInfinity;

    private static double Seconds(ExperimentTrial trial) => (trial.TrainingTime + trial.ScoringTime).TotalSeconds;
}
