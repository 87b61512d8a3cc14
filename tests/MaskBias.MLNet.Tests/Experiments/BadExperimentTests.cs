using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.Experiments.Search;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Experiments;

public sealed class BadExperimentTests : IDisposable
{
    private readonly ExperimentRuns runs = new();

    [Fact]
    public void Settings_out_of_range_are_all_named()
    {
        string message = Error(() => runs.Ml.SelfSupervised().CreateClassificationExperiment(new()
        {
            Candidates = [], Features = [], ValidationFraction = 1, Folds = 1, MaxMemoryMegabytes = 1, AllowedCandidates = ["LightGbm", "Oracle"],
        }));
        foreach (string part in new[] { "MaxTime and MaxTrials are both null", "There is no candidate to try", "Features is empty", "ValidationFraction is 1",
            "Folds is 1", "MaxMemoryMegabytes is 1", "\"LightGbm\", which comes with the package MaskBias.MLNet.Experiments.Trees: add the package and call settings.AddTrees()",
            "\"Oracle\"; the candidates are" }) Assert.Contains(part, message);
        Assert.Contains("MaxTime is -00:00:01", Error(() => runs.Ml.SelfSupervised().CreateRegressionExperiment(new() { MaxTime = TimeSpan.FromSeconds(-1) })));
        var none = new ClassificationExperimentSettings { MaxTrials = 1, AllowedCandidates = [] };
        Assert.Contains("There is no candidate to try", Error(() => runs.Run(none)));
    }

    [Fact]
    public void A_budget_too_small_for_one_trial_says_what_it_was_used_for()
    {
        var settings = ExperimentRuns.Settings(1);
        (settings.MaxTrials, settings.MaxTime) = (null, TimeSpan.FromMilliseconds(1));
        Assert.Contains("MaxTime is 00:00:00.0010000, which was over before ",
            Assert.Throws<InvalidOperationException>(() => runs.Run(settings)).Message);

        var waiting = ExperimentRuns.Settings(1, "waiting");
        waiting.Candidates.Add(ExperimentRuns.Acting("waiting", trial => trial.CancellationToken.WaitHandle.WaitOne(120_000)));
        waiting.MaxTrials = null;
        string message = ExperimentRuns.WithTime(time =>
        {
            waiting.MaxTime = time;
            return Assert.Throws<InvalidOperationException>(() => runs.Run(waiting)).Message;
        }, said => said.Contains("was tried", StringComparison.Ordinal));
        Assert.Contains("which was over before one trial was complete: the features of 30 images took ", message);
        Assert.Contains("and then waiting was tried. Give more time.", message);
    }

    [Fact]
    public void Cancelled_before_a_trial_there_is_nothing_to_return()
    {
        var settings = ExperimentRuns.Settings(3);
        settings.CancellationToken = new(canceled: true);
        Assert.ThrowsAny<OperationCanceledException>(() => runs.Run(settings));
    }

    [Fact]
    public void Too_few_rows_or_a_single_class_are_errors()
    {
        Assert.Contains("3 rows have a label and a readable image; an experiment needs at least 10", Error(() => runs.Run(ExperimentRuns.Settings(1), Rows(3))));
        Assert.Contains("All 10 labelled rows are of the class", Error(() => runs.Run(ExperimentRuns.Settings(1),
            runs.Ml.Data.LoadFromEnumerable(runs.Photos.Rows.Where(r => r.Label == runs.Photos.Rows[0].Label)))));
        var alone = runs.Photos.Rows.Select((r, i) => new Row { ImagePath = r.ImagePath, Label = $"{i}" });
        Assert.Contains("Each of the 30 rows has a class of its own", Error(() => runs.Run(ExperimentRuns.Settings(1), runs.Ml.Data.LoadFromEnumerable(alone))));
        var none = runs.Photos.Rows.Select(r => new Row { ImagePath = r.ImagePath });
        Assert.Contains("No row with a usable image has a class in column 'Label'", Error(() => runs.Run(ExperimentRuns.Settings(1), runs.Ml.Data.LoadFromEnumerable(none))));
    }

    [Fact]
    public void Rows_without_a_label_or_a_readable_image_are_left_out_and_counted()
    {
        var rows = runs.Photos.Rows.Select(r => new Row { ImagePath = r.ImagePath, Label = r.Label }).ToList();
        rows[0].Label = "";
        rows[5].ImagePath = runs.File("missing.png");
        using var result = runs.Run(ExperimentRuns.Settings(2), runs.Ml.Data.LoadFromEnumerable(rows));
        Assert.Equal(28, result.Rows);
        Assert.Contains("1 of 30 rows have no usable label and are left out.", result.Warnings);
        Assert.Contains(result.Warnings, w => w.StartsWith("1 of 29 images cannot be read"));
    }

    [Fact]
    public void Columns_that_are_missing_or_of_another_type_are_named()
    {
        var settings = ExperimentRuns.Settings(1);
        settings.LabelColumnName = "Class";
        Assert.Contains("There is no column 'Class' to read classes from", Error(() => runs.Run(settings)));
        settings.LabelColumnName = "Encoded";
        Assert.Contains("a column of classes must be Key<UInt32>", Error(() => runs.Run(settings)));
        var regression = new RegressionExperimentSettings { MaxTrials = 1 };
        Assert.Contains("Column 'Label' is String; a column of targets must be a number.", Error(() => runs.Run(regression)));
        Assert.Contains("There is no encoder", Error(() => new Experiment(runs.Ml, ExperimentRuns.Settings(1)).Execute(Rows(30), new Dictionary<string, VisionEncoder>())));
    }

    [Fact]
    public void Where_nothing_succeeds_every_error_is_told()
    {
        var settings = ExperimentRuns.Settings(5, "first", "second");
        settings.Candidates.Add(ExperimentRuns.Acting("first", _ => throw new DllNotFoundException("lib_first is not there")));
        settings.Candidates.Add(ExperimentRuns.Acting("second", _ => throw new InvalidOperationException("no luck")));
        string message = Assert.Throws<InvalidOperationException>(() => runs.Run(settings)).Message;
        foreach (string part in new[] { "None of 5 trials succeeded", "first: DllNotFoundException: lib_first is not there", "second: InvalidOperationException: no luck" })
            Assert.Contains(part, message);
    }

    [Fact]
    public void Candidates_and_parameters_are_checked_where_they_are_made()
    {
        Assert.Contains("the first must be below the second", Error(() => SearchParameter.Range("X", 2, 1, 1)));
        Assert.Contains("X starts with 5; it must lie in [1, 2]", Error(() => SearchParameter.LogRange("X", 1, 2, 5)));
        Assert.Contains("a logarithm needs values above 0", Error(() => SearchParameter.LogIntegers("X", 0, 2, 1)));
        Assert.Contains("X has a choice twice", Error(() => SearchParameter.Choice("X", 1, 1)));
        Assert.Contains("a second parameter of the name Features", Error(() => ExperimentCandidate.OnFeatures("x", 1, [SearchParameter.Choice("Features", 1, 2)], _ => null!)));
        Assert.Contains("it must be a number above 0", Error(() => ExperimentCandidate.OnFeatures("x", 0, [], _ => null!)));
    }

    [Fact]
    public void Settings_that_are_changed_later_change_nothing()
    {
        var settings = ExperimentRuns.Settings(1);
        var experiment = new Experiment(runs.Ml, settings);
        settings.Candidates.Clear();
        (settings.MaxTrials, settings.LabelColumnName) = (null, "");
        using var result = experiment.Execute(runs.Photos.Load(runs.Ml), runs.Encoder);
        Assert.Single(result.Runs);
    }

    private IDataView Rows(int count) => runs.Ml.Data.LoadFromEnumerable(runs.Photos.Rows.Take(count));

    private static string Error(Action act) => Assert.ThrowsAny<Exception>(act).Message;

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";
    }

    public void Dispose() => runs.Dispose();
}
