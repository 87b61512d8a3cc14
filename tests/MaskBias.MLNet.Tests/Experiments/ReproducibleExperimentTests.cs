using System.Text;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Output;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Experiments;

public sealed class ReproducibleExperimentTests : IDisposable
{
    private static readonly string[] Heads = ["k-NN", "LbfgsMaximumEntropy", "SdcaMaximumEntropy"];

    private readonly ExperimentRuns runs = new();

    private string RunFile => runs.File("run.jsonl");

    [Fact]
    public void One_seed_and_a_budget_of_trials_give_one_ranking()
    {
        using ExperimentResult first = runs.Run(ExperimentRuns.Settings(14, Heads)), second = runs.Run(ExperimentRuns.Settings(14, Heads));
        Assert.Equal(Ranking(first), Ranking(second));
        Assert.True(first.Runs.Select(r => string.Join(' ', r.Parameters.Values) + r.Features + r.Candidate).Distinct().Count() == 14);
        var settings = ExperimentRuns.Settings(14, Heads);
        settings.Seed = 4;
        using var other = runs.Run(settings);
        Assert.NotEqual(Ranking(first), Ranking(other));
    }

    [Fact]
    public void An_interrupted_experiment_goes_on_as_it_would_have_and_more_trials_may_follow()
    {
        using var whole = runs.Run(ExperimentRuns.Settings(12, Heads));
        using var source = new CancellationTokenSource();
        var interrupted = Resuming(12);
        interrupted.CancellationToken = source.Token;
        interrupted.Progress = new ExperimentTests.Recorder([], trial => { if (trial.Number == 5) source.Cancel(); });
        using (var part = runs.Run(interrupted)) Assert.Equal(5, part.Runs.Count);
        Assert.Equal(6, File.ReadAllLines(RunFile).Length);
        using var resumed = runs.Run(Resuming(12));
        Assert.Equal(Ranking(whole), Ranking(resumed));
        Assert.Equal(12, resumed.Runs.Count);

        // The best of the file is trained anew: it predicts as it did.
        var seen = new List<ExperimentTrial>();
        var again = Resuming(12);
        again.Progress = new ExperimentTests.Recorder(seen);
        using var finished = runs.Run(again);
        Assert.Empty(seen);
        Assert.Equal(Predictions(whole), Predictions(finished));
        using var longer = runs.Run(Resuming(14));
        Assert.Equal(14, longer.Runs.Count);
    }

    [Fact]
    public void Another_experiments_file_is_refused_with_every_difference()
    {
        using (runs.Run(Resuming(2)))
        {
        }
        var changed = Resuming(2);
        (changed.Seed, changed.ValidationFraction, changed.OptimizingMetric) = (5, 0.3, ClassificationMetric.LogLoss);
        (changed.MaxTrials, changed.MaxTime) = (null, TimeSpan.FromSeconds(20));
        using var other = TinyEncoders.Plain(seed: 9);
        var fewer = runs.Ml.Data.LoadFromEnumerable(runs.Photos.Rows.Skip(1));
        string message = Assert.Throws<InvalidOperationException>(() => new Experiment(runs.Ml, changed).Execute(fewer, other)).Message;
        foreach (string part in new[] { "Seed was 3, now 5", "ValidationFraction was 0.2, now 0.3", "OptimizingMetric was MicroAccuracy, now LogLoss",
            "the budget was of trials, now of time", "encoder encoder was ", "the rows are not those", "Set WhenUsed to Overwrite" }) Assert.Contains(part, message);

        var refusing = Resuming(2);
        refusing.WhenUsed = ExistingRun.Refuse;
        Assert.Contains("is there already. Set WhenUsed to Resume", Assert.Throws<InvalidOperationException>(() => runs.Run(refusing)).Message);
        var overwriting = Resuming(3);
        (overwriting.WhenUsed, overwriting.Seed) = (ExistingRun.Overwrite, 8);
        using var result = runs.Run(overwriting);
        Assert.Equal((3, 8), (result.Runs.Count, result.Seed));
        var seedless = Resuming(4);
        seedless.Seed = null;
        using var resumed = runs.Run(seedless);
        Assert.Equal((4, 8), (resumed.Runs.Count, resumed.Seed));
    }

    [Fact]
    public void An_experiment_that_drew_from_other_streams_is_refused()
    {
        using (runs.Run(Resuming(2)))
        {
        }
        string text = File.ReadAllText(RunFile);
        File.WriteAllText(RunFile, text.Replace(",\"Random streams\":\"2\"", "", StringComparison.Ordinal));
        Assert.Contains("Random streams was not there, now 2", Assert.Throws<InvalidOperationException>(() => runs.Run(Resuming(2))).Message);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("not json\n", "line 1: ")]
    [InlineData("{\"format\":1,\"surprise\":2}\n", "line 1: ")]
    [InlineData("HEADER{\"number\":2}\n", "line 2: ")]
    [InlineData("HEADER\u0000\u0000\n", "line 2: ")]
    [InlineData("FORMAT", "it has format 99; this version reads 1")]
    [InlineData("OUTSIDE", "line 2: trial 1 lies outside of the search space")]
    [InlineData("CANDIDATE", "trial 1 is of magic with ")]
    public void A_damaged_file_is_named_with_its_line(string content, string message)
    {
        using (runs.Run(Resuming(1)))
        {
        }
        string[] lines = File.ReadAllLines(RunFile);
        string text = content switch
        {
            "FORMAT" => lines[0].Replace("\"format\":1", "\"format\":99"),
            "OUTSIDE" => $"{lines[0]}\n{System.Text.RegularExpressions.Regex.Replace(lines[1], "\"point\":\\[[^,\\]]*", "\"point\":[1.5")}\n",
            "CANDIDATE" => $"{lines[0]}\n{lines[1].Replace("\"candidate\":\"k-NN\"", "\"candidate\":\"magic\"")}\n",
            _ => content.Replace("HEADER", lines[0] + "\n"),
        };
        File.WriteAllText(RunFile, text, new UTF8Encoding(false));
        var fault = Assert.Throws<InvalidDataException>(() => runs.Run(Resuming(2)));
        Assert.Contains(message, fault.Message);
        Assert.Contains(RunFile, fault.Message);
        Assert.Equal(text, File.ReadAllText(RunFile));
    }

    [Fact]
    public void A_line_that_a_kill_has_cut_is_tried_again()
    {
        using var whole = runs.Run(Resuming(3));
        string[] lines = File.ReadAllLines(RunFile);
        File.WriteAllText(RunFile, string.Join('\n', lines)[..^20]);
        using var resumed = runs.Run(Resuming(3));
        Assert.Equal(Ranking(whole), Ranking(resumed));
        Assert.Equal(lines[..^1], File.ReadAllLines(RunFile)[..^1]);
        Assert.Equal(lines.Length, File.ReadAllLines(RunFile).Length);
    }

    [Fact]
    public void No_more_is_written_than_is_read_again()
    {
        var header = new RunHeader
        {
            Task = "Classification", Seed = 1, Budget = "trials", Data = "", Encoders = new Dictionary<string, string>(),
            Settings = new Dictionary<string, string>(),
        };
        using (var file = MaskBias.MLNet.Experiments.Output.RunFile.Open(RunFile, ExistingRun.Refuse)!)
        {
            file.Begin(header);
            file.Add(Failed(1));
            Assert.Contains("is full", Assert.Throws<IOException>(() => file.Add(Failed(2))).Message);
        }
        using var again = MaskBias.MLNet.Experiments.Output.RunFile.Open(RunFile, ExistingRun.Resume)!;
        Assert.Single(again.Trials);

        static ExperimentTrial Failed(int number) => new()
        {
            Number = number, Candidate = "k-NN", Encoder = "encoder", Parameters = new Dictionary<string, string>(),
            State = TrialState.Failed, Seed = 1, Error = new string('x', 40 << 20),
        };
    }

    [Fact]
    public void A_file_in_use_is_left_alone()
    {
        var settings = Resuming(3);
        settings.Progress = new ExperimentTests.Recorder([], _ =>
            Assert.Contains("is in use by another experiment", Assert.Throws<IOException>(() => runs.Run(Resuming(3))).Message));
        using var result = runs.Run(settings);
        Assert.Equal(3, result.Runs.Count);
    }

    private ClassificationExperimentSettings Resuming(int trials)
    {
        var settings = ExperimentRuns.Settings(trials, Heads);
        settings.RunFile = RunFile;
        return settings;
    }

    private static IEnumerable<string> Ranking(ExperimentResult result) => result.Leaderboard.Select(t =>
        $"{t.Number} {t.Candidate} {t.Features} {string.Join(' ', t.Parameters.OrderBy(p => p.Key).Select(p => p.Value))} {t.Metric:r} {t.Seed}");

    private float[][] Predictions(ExperimentResult result) =>
        [.. Microsoft.ML.Data.ColumnCursorExtensions.GetColumn<float[]>(result.BestRun.Model.Transform(runs.Photos.Load(runs.Ml)), "Score")];

    public void Dispose() => runs.Dispose();
}
