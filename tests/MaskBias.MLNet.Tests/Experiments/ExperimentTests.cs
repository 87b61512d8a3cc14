using System.Text.Json;
using System.Xml.Linq;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.Experiments.Trees;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Samples;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace MaskBias.MLNet.Tests.Experiments;

public sealed class ExperimentTests : IDisposable
{
    private readonly ExperimentRuns runs = new();

    [Fact]
    public void It_tries_ranks_and_writes_what_it_found()
    {
        var seen = new List<ExperimentTrial>();
        var settings = ExperimentRuns.Settings(12, "k-NN", "LbfgsMaximumEntropy", "SdcaMaximumEntropy", "LinearProbe", "LightGbm", "FastTree").AddTrees();
        settings.Progress = new Recorder(seen);
        using var result = runs.Run(settings);

        Assert.Equal(12, result.Runs.Count);
        Assert.Equal(result.Runs, seen);
        Assert.True(result.Runs.All(r => r.State == TrialState.Completed), string.Join('\n', result.Runs.Select(r => $"{r}")));
        Assert.Equal(6, result.Runs.Select(r => r.Candidate).Distinct().Count());
        Assert.Equal("k-NN", result.Runs[0].Candidate);                                    // the cheapest first
        Assert.Equal(result.Leaderboard[0], result.BestRun.Trial);
        Assert.True(result.Leaderboard.Zip(result.Leaderboard.Skip(1)).All(p => p.First.Metric >= p.Second.Metric));
        Assert.True(result.BestRun.Trial.Metric > 0.8, $"{result.BestRun.Trial}");
        var whole = result.BestRun.Model.Transform(runs.Photos.Load(runs.Ml)).GetColumn<string>("PredictedLabel");
        Assert.True(whole.Zip(runs.Photos.Rows).Count(p => p.First == p.Second.Label) >= 27);         // from images it is what it was on features
        Assert.Equal((StopReason.MaxTrials, 30), (result.StoppedBecause, result.Rows));
        Assert.All(result.Runs, r => Assert.True(r.ModelBytes > 1000 && r.MillisecondsPerImage > 0 && r.TrainingTime > TimeSpan.Zero && r.Features is not null));

        result.WriteCsv(runs.File("runs.csv"));
        string[] lines = File.ReadAllLines(runs.File("runs.csv"));
        Assert.Equal(13, lines.Length);
        Assert.StartsWith("Rank,Trial,Candidate,Encoder,Features,State,MicroAccuracy,MacroAccuracy,LogLoss,TrainingSeconds,", lines[0]);
        Assert.StartsWith($"1,{result.BestRun.Trial.Number},{result.BestRun.Trial.Candidate},encoder,", lines[1]);
        result.WriteLeaderboard(runs.File("board.svg"));
        var picture = XDocument.Load(runs.File("board.svg")).Root!;
        Assert.Equal("svg", picture.Name.LocalName);
        Assert.Equal(13, picture.Descendants().Count(e => e.Name.LocalName == "rect"));    // the ground and a bar each
    }

    [Theory]
    [InlineData("k-NN")]
    [InlineData("LightGbm")]
    [InlineData("FineTuneLastBlocks")]
    public void The_best_model_is_saved_like_any_other_and_asks_for_no_label(string candidate)
    {
        var settings = ExperimentRuns.Settings(2, candidate).AddTrees();
        var data = runs.Photos.Load(runs.Ml);
        using var result = runs.Run(settings, data);
        string[] files = [.. runs.Photos.Rows.Select(r => r.ImagePath)];
        var unlabelled = runs.Ml.Data.LoadFromEnumerable(files.Select(f => new PathRow { ImagePath = f }));
        string[] expected = [.. result.BestRun.Model.Transform(unlabelled).GetColumn<string>("PredictedLabel")];
        Assert.Equal(3, runs.Photos.Rows.Select(r => r.Label).Union(expected).Count());

        string path = runs.File("model.zip");
        runs.Ml.Model.Save(result.BestRun.Model, data.Schema, path);
        if (candidate == "LightGbm")                                                       // its package is not in the bare program
        {
            var loaded = runs.Ml.Model.Load(path, out _);
            Assert.Equal(expected, loaded.Transform(unlabelled).GetColumn<string>("PredictedLabel"));
            (loaded as IDisposable)?.Dispose();
            return;
        }
        var (code, output, errors) = BuiltProgram.Run("tests/FreshProcess", "FreshProcess", [path, .. files]);
        Assert.True(code == 0, errors);
        Assert.Equal(expected, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("label").GetString()));
    }

    [Fact]
    public void Every_image_is_read_once_whatever_is_tried()
    {
        var rows = runs.Photos.Rows.Select(r => new CountingRow(r.Encoded) { Label = r.Label }).ToList();
        var settings = ExperimentRuns.Settings(20);
        settings.ImageColumnName = "Encoded";
        using var result = runs.Run(settings, runs.Ml.Data.LoadFromEnumerable(rows));
        Assert.True(result.Runs.Select(r => r.Features).Distinct().Count() >= 3);
        Assert.All(rows, r => Assert.InRange(r.Reads, 1, 2));                              // for the features, and for the fingerprint
    }

    [Fact]
    public void Folds_measure_on_every_row_and_the_best_learns_from_all()
    {
        var learned = new List<int>();
        var settings = ExperimentRuns.Settings(2, "counting");
        settings.Candidates.Add(ExperimentRuns.Acting("counting", trial => learned.Add(trial.Rows)));
        settings.Folds = 3;
        using var result = runs.Run(settings);
        Assert.Equal([20, 20, 20, 20, 20, 20, 30], learned);
        Assert.NotNull(result.BestRun.Model.Transform(runs.Photos.Load(runs.Ml)).Preview());
    }

    [Fact]
    public void The_better_of_two_encoders_is_found()
    {
        using var constant = TinyEncoders.Plain();
        using (torch.no_grad())
        {
            foreach (var parameter in constant.Model.parameters()) parameter.zero_();
        }
        var experiment = runs.Ml.SelfSupervised().CreateClassificationExperiment(ExperimentRuns.Settings(10));
        using var result = experiment.Execute(runs.Photos.Load(runs.Ml), new Dictionary<string, VisionEncoder> { ["blind"] = constant, ["seeing"] = runs.Encoder });
        Assert.Equal(2, result.Runs.Select(r => r.Encoder).Distinct().Count());
        Assert.Equal("seeing", result.BestRun.Trial.Encoder);
    }

    [Fact]
    public void A_failing_candidate_is_recorded_and_given_up_and_the_others_go_on()
    {
        var settings = ExperimentRuns.Settings(8, "k-NN", "broken");
        settings.Candidates.Add(ExperimentRuns.Acting("broken", _ => throw new DllNotFoundException("no \"library\",\nhere")));
        using var result = runs.Run(settings);
        var failed = result.Runs.Where(r => r.State == TrialState.Failed).ToList();
        Assert.Equal("broken", Assert.Single(failed.Select(f => f.Candidate).Distinct()));
        Assert.All(failed, f => Assert.Equal("DllNotFoundException: no \"library\", here", f.Error));
        Assert.InRange(failed.Count, 1, 3);
        Assert.Equal("k-NN", result.BestRun.Trial.Candidate);
        result.WriteCsv(runs.File("runs.csv"));
        Assert.EndsWith(",\"DllNotFoundException: no \"\"library\"\", here\"", File.ReadAllLines(runs.File("runs.csv"))[^1]);
    }

    [Fact]
    public void A_cancelled_experiment_gives_the_best_so_far()
    {
        using var source = new CancellationTokenSource();
        var settings = ExperimentRuns.Settings(100);
        settings.CancellationToken = source.Token;
        settings.Progress = new Recorder([], trial => { if (trial.Number == 3) source.Cancel(); });
        using var result = runs.Run(settings);
        Assert.Equal((3, StopReason.Cancelled), (result.Runs.Count, result.StoppedBecause));
        Assert.Equal(result.Leaderboard[0], result.BestRun.Trial);
    }

    [Fact]
    public void Time_over_stops_the_trial_under_way_in_a_trainer_of_ML_NET_too()
    {
        int trials = 0;
        var second = ExperimentCandidate.OnFeatures("endless", 1, [], trial => trial.Context.MulticlassClassification.Trainers.SdcaMaximumEntropy(
            new Microsoft.ML.Trainers.SdcaMaximumEntropyMulticlassTrainer.Options
            {
                FeatureColumnName = trial.FeatureColumnName, MaximumNumberOfIterations = trials++ == 0 ? 1 : 1_000_000, ConvergenceTolerance = 1e-9f,
                L2Regularization = 1e-6f, NumberOfThreads = 1,
            }));
        var settings = ExperimentRuns.Settings(1, "endless");
        settings.Candidates.Add(second);
        settings.MaxTrials = null;
        using var result = ExperimentRuns.WithTime(time =>
        {
            (trials, settings.MaxTime) = (0, time);
            return runs.Run(settings);
        }, found => found.Runs.Count == 2);
        Assert.True(result.Elapsed < TimeSpan.FromMinutes(2), $"{result.Elapsed}");          // a million iterations take hours
        Assert.True(result.Runs.Select(r => r.State).SequenceEqual([TrialState.Completed, TrialState.Stopped]), string.Join('\n', result.Runs));
        Assert.Equal("The time was over.", result.Runs[1].Error);
        Assert.Equal(1, result.BestRun.Trial.Number);
    }

    [Fact]
    public void A_tuned_encoder_can_win_and_lower_blocks_stay()
    {
        var settings = ExperimentRuns.Settings(1, "FineTuneLastBlocks");
        using var result = runs.Run(settings);
        var tuned = ((TransformerChain<ITransformer>)result.BestRun.Model).OfType<ImageClassifier>().Single();
        var (before, after) = (runs.Encoder.Model.state_dict(), tuned.Encoder.Model.state_dict());
        Assert.True(Same("patch_embed.proj.weight") && Same("cls_token") && Same("pos_embed"));
        Assert.False(Same("blocks.1.mlp.fc1.weight"));
        Assert.Null(result.BestRun.Trial.Features);

        bool Same(string name) => before[name].eq(after[name]).all().ToBoolean();
    }

    public void Dispose() => runs.Dispose();

    internal sealed class Recorder(List<ExperimentTrial> seen, Action<ExperimentTrial>? act = null) : IProgress<ExperimentTrial>
    {
        public void Report(ExperimentTrial value)
        {
            seen.Add(value);
            act?.Invoke(value);
        }
    }

    private sealed class PathRow
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class CountingRow(byte[] encoded)
    {
        public int Reads;

        public byte[] Encoded
        {
            get
            {
                Reads++;
                return encoded;
            }
        }

        public string Label { get; set; } = "";
    }
}
