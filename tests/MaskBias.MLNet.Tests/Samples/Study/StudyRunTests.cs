using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli;
using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Tests.Samples.Study;

/// <summary>maskbias study, from a plan to its page.</summary>
public sealed class StudyRunTests : IDisposable
{
    private const string Plain = """{ "Name": "plain", "Method": "Dino" }""";

    private const string Bias =
        """{ "Name": "bias", "Method": "Dino", "Masks": "segment", "Options": { "MaskBias": { "InitialValue": 9 } } }""";

    private const string Distilled =
        """{ "Name": "bias, distilled", "Distilled": true, "Method": "Dino", "Masks": "segment", """
        + """ "Options": { "MaskBias": { "InitialValue": 9 } } }""";

    private readonly SceneStudy study = new();

    [Fact]
    public void A_matrix_is_trained_measured_and_written_up_and_nothing_is_done_twice()
    {
        study.WriteObjectMasks();
        string plan = study.Plan(
            $$"""
            { "Name": "random", "Method": "Random" }, {{Plain}}, {{Bias}}, {{Distilled}},
            { "Name": "scratch", "Method": "Supervised", "Fractions": [1, 0.5] }
            """,
            """
            , "Compare": [
              { "Cell": "plain", "Against": "random" },
              { "Cell": "plain", "Measure": "linear 50%", "Against": "scratch", "By": "fine-tuned 50%" }
            ]
            """);
        study.Run(plan, "out");

        // Plain, with the bias, its student, and two from labels: the student's teacher is the cell before it.
        Assert.Equal(["DINO", "DINO", "Distillation", "Fine-tuning", "Fine-tuning"], study.Runs("out").Select(r => r.Phase).Order());
        Assert.All(study.Runs("out").Where(r => r.Phase != "Fine-tuning"), r => Assert.Equal((40, 2, 10L), (r.Images, r.Epochs, r.Steps)));
        var guided = Assert.Single(study.Runs("out"), r => r.Bias.Count > 0);
        Assert.Equal(guided.Key, Assert.Single(study.Runs("out"), r => r.Phase == "Distillation").Teacher);
        Assert.True(guided.Bias[0].Alpha.All(layer => layer!.Length == 3) && guided.Bias[^1].Step == 10);

        var results = study.Results(plan, "out");
        Assert.Equal(["k-NN", "k-NN, masks", "linear", "linear, masks", "linear 50%", "linear 50%, masks", "fine-tuned", "fine-tuned 50%"],
            results.Measures);
        Assert.All(results.Plan.Cells, cell => Assert.InRange(results.Accuracy(cell.Name, 1, "k-NN")!.Value, 0, 1));
        Assert.NotNull(results.Accuracy("bias", 1, "linear, masks"));
        Assert.Null(results.Accuracy("bias, distilled", 1, "linear, masks"));
        Assert.NotNull(results.Accuracy("scratch", 1, "fine-tuned 50%"));
        Assert.Null(results.Accuracy("scratch", 1, "linear 50%"));              // its encoder has seen all labels
        var looks = results.Features("bias", 1)!.Attention!;
        Assert.Equal((3, 3, 3), (looks.Untrained.Length, looks.Trained.Length, looks.Guided!.Length));
        Assert.NotEqual(looks.Trained, looks.Guided);                           // α is 9: the masks must be seen
        Assert.Empty(results.Failures);

        string page = File.ReadAllText(study.At("out/study.md"));
        foreach (string row in new[] { "| bias − plain |", "| bias, masks − plain |", "| bias, distilled − bias |", "| plain − random |",
            "| segment | 40 |", "| plain, linear 50% − scratch, fine-tuned 50% |" }) Assert.Contains(row, page);
        Assert.DoesNotContain("Not measured yet", page);
        Assert.Contains("| pair | k-NN | linear | linear 50% |\n", page);       // what training from labels alone has is compared with nothing
        foreach (string made in new[] { "accuracy", "differences", "alpha-bias", "attention-plain", "attention-bias" })
            Assert.True(File.Exists(study.At($"out/pictures/{made}.png")), made);
        Assert.Equal(1 + 3 + 3 + 6 + 3 + 4, File.ReadLines(study.At("out/results.csv")).Count());
        Assert.Contains("\"against\":\"random\"", File.ReadAllText(study.At("out/results.json")));

        var before = Times();
        study.Run(plan, "out");
        Assert.Equal(before, Times());

        // The page needs no images, and no encoders.
        Directory.Delete(study.Data, recursive: true);
        Directory.Delete(study.At("out/work"), recursive: true);
        File.Delete(study.At("out/study.md"));
        SceneStudy.Invoke("study", plan, "--output", study.At("out"), "--report-only");
        Assert.Equal(page, File.ReadAllText(study.At("out/study.md")));

        Dictionary<string, DateTime> Times() => Directory.EnumerateFiles(study.At("out/results"), "*.json", SearchOption.AllDirectories)
            .Where(f => !f.EndsWith("images.json", StringComparison.Ordinal) && !f.EndsWith("asked.json", StringComparison.Ordinal)).ToDictionary(f => f, File.GetLastWriteTimeUtc);
    }

    [Theory]
    [InlineData("Dino", 6)]
    [InlineData("Supervised", 7)]
    public void A_study_that_is_killed_goes_on_and_gives_the_same_numbers(string method, int measures)
    {
        string plan = study.Plan($$"""{ "Name": "trained", "Method": "{{method}}" }, { "Name": "random", "Method": "Random" }""",
            """, "Checkpoints": 20, "Supervised": { "BatchSize": 8 }""", seen: 800);
        study.Run(plan, "whole");

        KillInFirstTraining(plan, "killed");
        study.Run(plan, "killed", "--only", "trained");
        Assert.Contains(study.Runs("killed"), r => r.ResumedSteps > 0);
        var trained = Trained();
        study.Run(plan, "killed");
        Assert.Equal(trained, Trained());

        var (whole, killed) = (study.Predictions("whole"), study.Predictions("killed"));
        Assert.Equal(measures, whole.Count);
        Assert.Equal(whole.Keys.Order(), killed.Keys.Order());
        Assert.All(whole, p => Assert.Equal(p.Value, killed[p.Key]));
        Assert.Equal(study.Runs("whole").Select(r => r.Losses[^1]), study.Runs("killed").Select(r => r.Losses[^1]));

        DateTime[] Trained() => [.. Directory.GetFiles(study.At("killed/results/runs")).Order().Select(File.GetLastWriteTimeUtc)];
    }

    [Fact]
    public void A_failure_is_noted_the_others_go_on_and_it_is_tried_again()
    {
        study.WriteObjectMasks();
        string damaged = Directory.EnumerateFiles(study.At("data/masks/train"), "*.png", SearchOption.AllDirectories).First();
        byte[] whole = File.ReadAllBytes(damaged);
        File.WriteAllBytes(damaged, whole[..40]);
        string plan = study.Plan($$"""
            { "Name": "guided", "Method": "Dino", "Masks": "files" }, {{Plain}},
            { "Name": "distilled", "Method": "Dino", "Masks": "files", "Distilled": true }
            """);

        var fault = Assert.Throws<InvalidOperationException>(() => study.Run(plan, "out"));
        Assert.Contains("1 jobs failed", fault.Message);
        var results = study.Results(plan, "out");
        Assert.NotNull(results.Accuracy("plain", 1, "k-NN"));
        Assert.Null(results.Accuracy("guided", 1, "k-NN"));
        var failure = Assert.Single(results.Failures);
        Assert.Contains(Path.GetFileName(damaged), failure.Message);
        string page = File.ReadAllText(study.At("out/study.md"));
        Assert.Contains("## Failures", page);
        Assert.Contains("- guided, seed 1\n- distilled, seed 1\n", page);

        File.WriteAllBytes(damaged, whole);
        study.Run(plan, "out");
        results = study.Results(plan, "out");
        Assert.NotNull(results.Accuracy("distilled", 1, "k-NN"));
        Assert.Empty(results.Failures);
    }

    [Fact]
    public void Several_processes_share_the_work_and_a_limit_of_time_stops_it()
    {
        string plan = study.Plan($$"""{{Plain}}, {{Bias}}, { "Name": "random", "Method": "Random" }""");
        study.Run(plan, "late", "--time-limit", "1e-9");
        Assert.Empty(study.Runs("late"));
        Assert.Contains("Nothing was measured yet.", File.ReadAllText(study.At("late/study.md")));

        var (code, output, errors) = BuiltProgram.Run("src/Samples/Cli", "maskbias", study.Arguments(plan, "out", "--processes", "2"));
        Assert.True(code == 0, errors);
        Assert.Contains("results: 3\n", output.ReplaceLineEndings("\n"));
        Assert.Equal(2, study.Runs("out").Count);
        Assert.All(study.Runs("out"), r => Assert.Equal(2, r.Processes));
        string other = File.ReadAllText(study.At("out/work/logs/worker-2.log"));
        // Every job was begun by one of the two.
        string all = errors + other;
        foreach (string job in new[] { "Pretraining for 'plain'", "Pretraining for 'bias'", "features of 'plain'", "features of 'bias'",
            "features of 'random'" })
            Assert.Equal(2, all.Split(job).Length);
    }

    [Fact]
    public void Classifiers_are_trained_where_the_plan_asks_for_them()
    {
        string plan = study.Plan(Plain);
        string text = File.ReadAllText(plan).Replace("""{ "Kind": "NearestNeighbors" },""", """
            { "Kind": "FineTune", "Fractions": [1, 0.01], "Options": { "Epochs": 1, "BatchSize": 8 } },
            { "Kind": "SemiSupervised", "Fractions": [0.5], "Options": { "Epochs": 1, "BatchSize": 4, "Supervised": { "Epochs": 1 } } },
            """, StringComparison.Ordinal);
        File.WriteAllText(plan, text);
        study.Run(plan, "out");
        // Nearest neighbours are always measured; each class keeps a label at least.
        Assert.Equal(["k-NN", "fine-tuned", "fine-tuned 1%", "semi-supervised 50%", "linear", "linear 50%"],
            study.Results(plan, "out").Measures);
        Assert.Equal(Enumerable.Range(0, 10),
            StudyLabels.Few([.. Enumerable.Range(0, 40).Select(i => i % 10)], 0.01, 3).Select(i => i % 10).Order());
    }

    [Fact]
    public void Training_from_labels_may_be_by_few_labels_alone()
    {
        string plan = study.Plan("""{ "Name": "few", "Method": "Supervised", "Fractions": [0.5] }""", """, "Supervised": { "BatchSize": 8 }""");
        study.Run(plan, "out");
        var run = Assert.Single(study.Runs("out"));
        Assert.Equal((20, 5), (run.Images, run.Epochs));                        // of 20 images 16 are seen in an epoch, of 80 in all
        Assert.Equal(["k-NN", "linear", "linear 50%", "fine-tuned 50%"], study.Results(plan, "out").Measures);

        // Another cell has a result of its own.
        plan = study.Plan("""{ "Name": "few", "Method": "Supervised", "Fractions": [0.5] }, { "Name": "all", "Method": "Supervised", "Fractions": [1, 0.5] }""",
            """, "Supervised": { "BatchSize": 8 }""");
        study.Run(plan, "out");
        var results = study.Results(plan, "out");
        Assert.Equal(results.Accuracy("few", 1, "fine-tuned 50%"), results.Accuracy("all", 1, "fine-tuned 50%")!.Value);
    }

    [Fact]
    public void What_another_plan_gave_is_not_shown()
    {
        const string Cells = $$"""{{Plain}}, { "Name": "random", "Method": "Random" }, { "Name": "few", "Method": "Supervised", "Fractions": [0.5] }""";
        const string Search = """, "Search": { "HeldOut": 0.25, "ImagesSeen": 40, "Sets": { "a": {} } }""";
        string plan = study.Plan(Cells, Search);
        study.Run(plan, "out");
        study.Run(plan, "out", "--search");
        string first = File.ReadAllText(plan);
        var before = study.Predictions("out");
        Assert.Single(study.Results(plan, "out").Search);

        // A warmer teacher leaves the others as they are.
        string warmer = study.Plan(Cells, Search);
        SceneStudy.Edit(warmer, "\"Dino\": {", "\"Dino\": { \"TeacherTemperature\": 0.06,");
        study.Run(warmer, "out", "--only", "random");
        var kept = study.Results(warmer, "out");
        Assert.NotNull(kept.Accuracy("random", 1, "k-NN"));
        Assert.NotNull(kept.Accuracy("few", 1, "fine-tuned 50%"));
        Assert.Null(kept.Accuracy("plain", 1, "k-NN"));
        Assert.Empty(kept.Search);

        // The plan as it was before has all that it had: nothing is trained again.
        study.Run(warmer, "out");
        int trained = study.Runs("out").Count;
        File.WriteAllText(plan, first);
        study.Run(plan, "out");
        Assert.Equal(trained, study.Runs("out").Count);
        Assert.Equal(before, study.Predictions("out"));
        Assert.Single(study.Results(plan, "out").Search);

        string deeper = study.Plan(Cells);
        SceneStudy.Edit(deeper, "\"Depth\": 2", "\"Depth\": 3");
        study.Run(deeper, "out", "--only", "random");
        var results = study.Results(deeper, "out");
        Assert.NotNull(results.Accuracy("random", 1, "k-NN"));
        Assert.Null(results.Accuracy("plain", 1, "k-NN"));
        Assert.Null(results.Accuracy("few", 1, "fine-tuned 50%"));
        Assert.Contains("- plain, seed 1", File.ReadAllText(study.At("out/study.md")));
        study.Run(deeper, "out");
        Assert.NotNull(study.Results(deeper, "out").Accuracy("few", 1, "fine-tuned 50%"));
    }

    [Fact]
    public void Images_to_measure_on_are_not_learned_from()
    {
        string plan = study.Plan(Plain);
        SceneStudy.Edit(plan, "\"Test\": \"test\"", "\"Test\": \"test\", \"Extra\": \"test\"");
        Assert.Contains("20 images are both to measure on and, by Data.Train or Data.Extra, to learn from",
            Assert.Throws<UsageException>(() => study.Run(plan, "out")).Message);
    }

    [Fact]
    public void A_random_masked_autoencoder_is_another_encoder_than_DINOs()
    {
        string plan = study.Plan("""{ "Name": "random", "Method": "Random" }, { "Name": "random MAE", "Method": "RandomMae" }""");
        study.Run(plan, "out");
        var read = PlanReader.Read(plan);
        var cell = read.Cell("random MAE")!;
        using var model = Measurer.Untrained(PlanOptions.Encoder(read, cell), cell, 1);
        using var own = VisionTransformer.CreateAsMae(model.Options, 1);
        Assert.Equal(own.state_dict()["blocks.0.attn.qkv.weight"].data<float>().ToArray(),
            model.state_dict()["blocks.0.attn.qkv.weight"].data<float>().ToArray());
        Assert.Equal((PositionKind.SinCos, new MaeOptions().Pooling), (model.Options.Positions, model.Options.Pooling));
        Assert.NotNull(study.Results(plan, "out").Accuracy("random MAE", 1, "linear"));
        var predictions = study.Predictions("out");
        Assert.NotEqual(predictions["random 1 linear"], predictions["random MAE 1 linear"]);
    }

    [Fact]
    public void Settings_are_searched_without_the_test_images()
    {
        string plan = study.Plan(Plain, """
            , "Search": { "HeldOut": 0.25, "ImagesSeen": 40, "Chosen": "b", "Sets": { "a": {}, "b": { "TeacherTemperature": 0.05 } } }
            """);
        SceneStudy.Edit(plan, "\"Dino\": {", "\"Dino\": { \"TeacherTemperature\": 0.06,");
        study.Run(plan, "out", "--search");
        var found = study.Results(plan, "out").Search;
        Assert.Equal(["a", "b"], found.Select(s => s.Set).Order());
        Assert.All(found, s => Assert.Equal(10, s.HeldOut));
        Assert.All(study.Runs("out"), r => Assert.Equal(1, r.Epochs));
        string page = File.ReadAllText(study.At("out/study.md"));
        Assert.Contains("All cells of Dino have \"b\".", page);
        string dino = page.Split("- ").Single(item => item.StartsWith("Dino:", StringComparison.Ordinal));
        Assert.Contains("TeacherTemperature 0.05. The rest", dino);
        Assert.DoesNotContain("0.06", dino);

        study.Run(plan, "out");
        Assert.Equal("0.05", study.Runs("out").Single(r => r.Epochs == 2).Options["TeacherTemperature"]);
    }

    public void Dispose() => study.Dispose();

    // A study may end before it is seen to train, where the processor is busy with others: then it is begun anew.
    private void KillInFirstTraining(string plan, string output)
    {
        const int Tries = 5;
        string runs = Path.Combine(study.At(output), "work", "runs"), results = Path.Combine(study.At(output), "results", "runs");
        for (int i = 0; i < Tries; i++)
        {
            if (Directory.Exists(study.At(output))) Directory.Delete(study.At(output), recursive: true);
            using (var child = BuiltProgram.Start("src/Samples/Cli", "maskbias", study.Arguments(plan, output)))
            {
                while (!child.HasExited && !(Directory.Exists(runs)
                    && Directory.EnumerateDirectories(runs, "step-*", SearchOption.AllDirectories).Count() > 2)) Thread.Sleep(5);
                child.Kill();
            }
            if (!Directory.Exists(results) || Directory.GetFiles(results).Length == 0) return;
        }
        Assert.Fail($"{Tries} studies ended before they could be killed.");
    }
}
