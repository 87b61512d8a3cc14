using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Pages;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;

namespace MaskBias.MLNet.Tests.Samples.Study;

/// <summary>What is said of results that are there.</summary>
public sealed class StudyResultsTests : IDisposable
{
    private readonly SceneStudy study = new();
    private readonly StudyPlan plan;
    private readonly StudyFolder folder;

    public StudyResultsTests()
    {
        plan = PlanReader.Read(study.Plan("""
            { "Name": "plain", "Method": "Dino" }, { "Name": "bias", "Method": "Dino", "Masks": "segment" },
            { "Name": "others", "Method": "Dino", "Masks": "segment", "Shuffled": true }
            """, """, "Compare": [ { "Cell": "bias", "Against": "others" }, { "Cell": "bias", "Measure": "k-NN, masks", "Against": "plain" } ]"""));
        folder = new(study.At("out"));
        new ImagesResult(["a", "b"], 4, 0, ["1", "2", "3", "4"], [0, 0, 0, 0]).Write(folder.Images);
        // Classes of the four test images without masks and with, of which 0 is right.
        Write("plain", [0, 1, 1, 1], null);
        Write("bias", [0, 0, 0, 1], [0, 0, 0, 0]);
        Write("others", [0, 0, 1, 1], [0, 0, 0, 1]);
    }

    [Fact]
    public void Guided_encoders_are_compared_seeing_masks_both()
    {
        var results = StudyResults.Read(plan, folder);
        Assert.Equal(0.25, results.Difference("bias", "k-NN", "others")!.Value.Mean);
        Assert.Equal(0.25, results.Difference("bias", "k-NN, masks", "others")!.Value.Mean);
        Assert.Equal(0.75, results.Difference("bias", "k-NN, masks", "plain")!.Value.Mean);
        string page = File.ReadAllText(StudyPage.Write(plan, folder));
        Assert.Contains("| bias, masks − others | +25.0 ", page);
        Assert.Contains("| bias, k-NN, masks − plain, k-NN | **+75.0 ", page);
        Assert.Contains("\"against\":\"others\",\"measure\":\"k-NN, masks\",\"by\":\"k-NN, masks\",\"mean\":0.25",
            File.ReadAllText(study.At("out/results.json")));
    }

    [Fact]
    public void Results_of_an_earlier_plan_are_not_shown()
    {
        string Name(string cell) => folder.NameOf(folder.Measured(cell, 1, Measurer.FeatureGroup));
        new AskedResult
        {
            Results = new Dictionary<string, string> { [Name("plain")] = "plain", [Name("bias")] = "of other options" }, Runs = [],
        }.Write(folder.Asked);
        var results = StudyResults.Read(plan, folder);
        Assert.NotNull(results.Accuracy("plain", 1, "k-NN"));
        Assert.Null(results.Accuracy("bias", 1, "k-NN"));
        Assert.Null(results.Accuracy("others", 1, "k-NN"));
    }

    [Fact]
    public void A_damaged_list_of_what_was_asked_counts_as_missing()
    {
        File.WriteAllText(folder.Asked, "{}");
        Assert.NotNull(StudyResults.Read(plan, folder).Accuracy("others", 1, "k-NN"));
    }

    public void Dispose() => study.Dispose();

    private void Write(string cell, int[] plain, int[]? masked)
    {
        var predictions = new Dictionary<string, int[]> { ["k-NN"] = plain };
        if (masked is not null) predictions["k-NN, masks"] = masked;
        new MeasureResult { Key = cell, Cell = cell, Seed = 1, Predictions = predictions, Seconds = 1, Device = "cpu" }
            .Write(folder.Measured(cell, 1, Measurer.FeatureGroup));
    }
}
