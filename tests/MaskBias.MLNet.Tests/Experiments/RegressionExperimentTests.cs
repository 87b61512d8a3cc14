using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Tests.Experiments;

public sealed class RegressionExperimentTests : IDisposable
{
    private readonly ExperimentRuns runs = new();

    [Fact]
    public void It_finds_a_regression_of_any_kind_of_number_and_saves_it()
    {
        var settings = new RegressionExperimentSettings { MaxTrials = 16, Seed = 1, OptimizingMetric = RegressionMetric.RootMeanSquaredError }.AddTrees();
        var data = runs.Ml.Data.LoadFromEnumerable(Rows());
        using var result = runs.Ml.SelfSupervised().CreateRegressionExperiment(settings).Execute(data, runs.Encoder);
        Assert.Equal(["FastTree", "LightGbm", "OnlineGradientDescent", "Sdca"], result.Leaderboard.Select(r => r.Candidate).Distinct().Order());
        Assert.True(result.Leaderboard.Zip(result.Leaderboard.Skip(1)).All(p => p.First.Metric <= p.Second.Metric));
        Assert.True(result.BestRun.Trial.Metrics["RSquared"] > 0.5, $"{result.BestRun.Trial}");

        float[] expected = [.. result.BestRun.Model.Transform(data).GetColumn<float>("Score")];
        runs.Ml.Model.Save(result.BestRun.Model, data.Schema, runs.File("model.zip"));
        var loaded = runs.Ml.Model.Load(runs.File("model.zip"), out _);
        Assert.All(Pairs.Of(loaded.Transform(data).GetColumn<float>("Score"), expected), s => Assert.Equal(s.Second, s.First, 0.01f * Math.Max(1, Math.Abs(s.Second))));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void Targets_that_are_no_numbers_are_left_out_and_counted()
    {
        var rows = Rows();
        (rows[0].Label, rows[7].Label) = (double.NaN, double.PositiveInfinity);
        using var result = runs.Run(new RegressionExperimentSettings { MaxTrials = 2, Seed = 1 }, runs.Ml.Data.LoadFromEnumerable(rows));
        Assert.Equal(28, result.Rows);
        Assert.Contains("2 of 30 rows have no usable label and are left out.", result.Warnings);

        foreach (var row in rows) row.Label = double.NaN;
        Assert.Contains("No row with a usable image has a finite number in column 'Label'", Error(rows));
        foreach (var row in rows) row.Label = 2;
        Assert.Contains("All 30 rows have the target 2 in column 'Label'; there is nothing to learn.", Error(rows));
    }

    private string Error(List<Row> rows) => Assert.Throws<ArgumentException>(
        () => runs.Run(new RegressionExperimentSettings { MaxTrials = 2 }, runs.Ml.Data.LoadFromEnumerable(rows))).Message;

    // What the picture shows, as a number.
    private List<Row> Rows() => [.. runs.Photos.Rows.Select((r, i) => new Row { ImagePath = r.ImagePath, Label = 100 * (i % 3) + i % 2 })];

    public void Dispose() => runs.Dispose();

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public double Label { get; set; }
    }
}
