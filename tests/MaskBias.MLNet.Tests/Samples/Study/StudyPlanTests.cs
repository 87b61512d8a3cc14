using MaskBias.MLNet.Samples.Cli;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Tests.Docs;

namespace MaskBias.MLNet.Tests.Samples.Study;

/// <summary>Plans: those of the repository, and those that cannot be.</summary>
public sealed class StudyPlanTests : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string> Plans =>
        [.. Directory.EnumerateFiles(Path.Combine(Fixtures.Root, "studies"), "*.json").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Plans))]
    public void The_plans_of_the_repository_can_be_done(string name)
    {
        string path = Path.Combine(Fixtures.Root, "studies", name);
        var plan = PlanReader.Read(path);
        Assert.DoesNotContain(Path.DirectorySeparatorChar + "work", File.ReadAllText(path));
        Assert.All(plan.Cells.Where(c => c.Method is StudyMethod.Dino or StudyMethod.Mae && (c.Masks is not null || c.Distilled)),
            c => Assert.NotNull(c.Baseline));
        // A comparison is of the same images.
        Assert.All(plan.Cells.Where(c => c.Baseline is not null), c => Assert.Equal(plan.Cell(c.Baseline!)!.Extra, c.Extra));
        SceneStudy.Invoke("study", path, "--data", folder.Path, "--dry-run");           // without its images
    }

    [Fact]
    public void The_plan_in_the_docs_can_be_read()
    {
        var plan = PlanReader.Read(Write(Assert.Single(DocumentedCode.Blocks("docs/study.md"), b => b.Language == "json").Text));
        Assert.Equal("plain", plan.Cell("shuffled")!.Baseline);
        Assert.Equal("bias", plan.TeacherOf(plan.Cell("bias, distilled")!)!.Name);
    }

    [Fact]
    public void A_teacher_sees_the_masks_that_it_was_trained_with()
    {
        var read = PlanReader.Read(Write("""
            { "Data": { "Train": "train" }, "ImagesSeen": 40, "Encoder": { "ImageSize": 32, "PatchSize": 8, "EmbedDim": 8, "Depth": 1, "Heads": 1 },
              "Measures": [], "Cells": [
                { "Name": "student", "Method": "Dino", "Masks": "segment", "Distilled": true, "Options": { "Masks": { "MaxMasks": 1 } } } ] }
            """));
        Assert.Equal(1, PlanOptions.Distillation(read, read.Cells[0], 1, 40).Masks.MaxMasks);
    }

    [Fact]
    public void All_that_is_wrong_is_told_at_once()
    {
        string plan = Write("""
            {
              "Dtaa": {}, "Data": { "Masks": { "segment": "m" }, "Objects": "o" }, "Seeds": [1, 1], "ImagesSeen": 0, "Checkpoints": "many",
              "Measures": [ { "Kind": "Guess" }, { "Kind": "SemiSupervised", "Fractions": [1] },
                { "Kind": "LinearProbe", "Fractions": [0, 2] },
                { "Kind": "FineTune", "Fractions": [0.00001, 0.000011] } ],
              "Cells": [
                { "Name": "a", "Method": "Dino", "Masks": "clouds", "Baseline": "z", "FreezeBias": 2 },
                { "Name": "A", "Method": "Random", "Masks": "segment", "FreezeBias": 0.5 },
                { "Name": "b", "Method": "Mae", "Shuffled": true }, { "Name": "c", "Method": "Supervised", "Fractions": [0.2, 0.20001] },
                { "Method": "Dinosaur" }
              ],
              "Compare": [ { "Cell": "a", "Against": "b", "Measure": "luck" }, { "Cell": "a", "Against": "b", "By": "k-NN" } ],
              "Search": { "Sets": { "x": {}, "lr 1e-3": {}, "lr 1e+3": {} }, "Chosen": "y" }
            }
            """);
        string[] expected =
        [
            "'Dtaa' is not known; there may be Name, Description, Data, ", "Data.Train is missing; it must be text.",
            "Data.Objects is 'o', which Data.Masks does not name.",
            "Data.Masks names a folder 'segment'", "Seeds must be at most 100 different numbers.",
            "ImagesSeen is 0; it must be a whole number in [1, ",
            "Checkpoints is \"many\"; it must be a whole number in [1, 1000].",
            "Measures[0].Kind is \"Guess\"; it must be one of NearestNeighbors, LinearProbe, ",
            "Measures[1].Fractions must be below 1", "Measures[2].Fractions is [0, 2]; it must be a list of numbers in [1E-06, 1].",
            "Cells[0].FreezeBias is 2; it must be a number in [0, 1].",
            "Cells[4].Name is missing", "Cells[4].Method is \"Dinosaur\"; it must be one of Random, RandomMae, Supervised, Dino, Mae.",
            "same file name: 'a', 'A'.",
            "Measures ask for shares of the labels that make the same file name: 'fine-tuned 0%', 'fine-tuned 0%'.",
            "Cell 'c': Fractions has shares of the labels that make the same file name: 'fine-tuned 20%', 'fine-tuned 20%'.",
            "'z' is compared with, but is no cell", "Cell 'a': Masks is 'clouds'; it must be segment",
            "Cell 'A': FreezeBias is 0.5; it must be at most a third of the run, or 1 for all of it.",
            "Cell 'A': Method is Random, which takes no masks", "Cell 'b': Shuffled is true, but there are no Masks.",
            "Search.Chosen is 'y', which is none of the sets.",
            "Search.Sets has names that make the same file name: 'lr 1e-3', 'lr 1e+3'.",
            "'luck' in Compare is no measure; there are 'k-NN', ",
            "Compare[1].By is given without Measure",
        ];
        var fault = Assert.Throws<UsageException>(() => PlanReader.Read(plan));
        Assert.DoesNotContain('\n', fault.Message);
        Assert.All(expected, text => Assert.Contains(text, fault.Message));
    }

    [Fact]
    public void A_file_too_large_to_be_a_plan_is_refused()
    {
        string path = Write("{}");
        using (var file = File.OpenWrite(path)) file.SetLength(1L << 40);               // a hole, which takes no space
        Assert.Contains("a plan may have at most", Assert.Throws<UsageException>(() => PlanReader.Read(path)).Message);
    }

    [Fact]
    public void Options_that_the_library_refuses_are_told_at_once()
    {
        string plan = Write("""
            {
              "Data": { "Train": "train" }, "ImagesSeen": 100,
              "Encoder": { "ImageSize": 32, "PatchSize": 8, "EmbedDim": 24, "Depth": 1, "Heads": 3 },
              "Dino": { "BatchSize": 0, "Epochs": 3, "Haed": { "OutDim": 3 } },
              "Measures": [ { "Kind": "LinearProbe", "Options": { "Momentum": 2 } } ],
              "Cells": [ { "Name": "plain", "Method": "Dino", "Options": { "StudentTemperature": -1 } },
                { "Name": "mae", "Method": "Mae", "Options": { "MaskRatio": 1 } } ]
            }
            """);
        var fault = Assert.Throws<UsageException>(() => PlanReader.Read(plan));
        string[] expected =
        [
            "'plain': BatchSize is 0; it must lie in [1, 1048576].", "'plain': StudentTemperature is -1; it must lie in (0, 10].",
            "Dino: 'Epochs' is no option of DinoOptions",
            "Dino: 'Haed.OutDim' is no option of DinoOptions; did you mean Head.OutDim?", "'mae': MaskRatio is 1",
        ];
        Assert.All(expected, text => Assert.Contains(text, fault.Message));
        Assert.Equal(2, fault.Message.Split("Haed.OutDim").Length);                 // once, however many cells there are

        File.WriteAllText(plan, File.ReadAllText(plan)
            .Replace("\"BatchSize\": 0, \"Epochs\": 3, \"Haed\": { \"OutDim\": 3 }", "", StringComparison.Ordinal)
            .Replace("-1", "0.1", StringComparison.Ordinal).Replace("\"MaskRatio\": 1", "\"MaskRatio\": 0.5", StringComparison.Ordinal));
        Assert.Contains("'linear': Momentum is 2; it must lie in [0, 1).",
            Assert.Throws<UsageException>(() => PlanReader.Read(plan)).Message);

        // All linear layers of a study see the same features.
        File.WriteAllText(plan, File.ReadAllText(plan).Replace("\"Momentum\": 2", "\"Features\": { \"LastBlocks\": 1 }", StringComparison.Ordinal));
        Assert.Contains("'Features.LastBlocks' is no option", Assert.Throws<UsageException>(() => PlanReader.Read(plan)).Message);
    }

    [Theory]
    [InlineData("[1]", "The plan is a JSON Array; it must be an object.")]
    [InlineData("{", "cannot be read as a plan: ")]
    [InlineData("""{ "Name": "a", "Name": "b" }""", "cannot be read as a plan: ")]
    [InlineData("""{ "Name": "a", "name": "b" }""", "'name' is given twice, in capital or small letters; once is allowed.")]
    [InlineData("""{ "Data": { "Train": "a", "train": "b" } }""", "'Data.train' is given twice, ")]
    [InlineData("""{ "Data": { "Train": "a" }, "Seeds": [1, 1.5] }""", "Seeds is [1, 1.5]; it must be a list of whole numbers in [0, 2147483647].")]
    public void A_file_that_is_no_plan(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<UsageException>(() => PlanReader.Read(Write(json))).Message);

    [Theory]
    [InlineData("there is no such folder in", "--data", "FOLDER")]
    [InlineData("--only is 'blue'; it must be 'plain'.", "--only", "blue")]
    [InlineData("--time-limit is 0; it must be above 0.", "--time-limit", "0")]
    [InlineData("--processes is 0; it must lie in [1, 64].", "--processes", "0")]
    [InlineData("--search is given, but ", "--search")]
    public void A_command_that_cannot_be(string expected, params string[] options)
    {
        string plan = Write("""
            { "Data": { "Train": "train" }, "ImagesSeen": 10,
              "Encoder": { "ImageSize": 32, "PatchSize": 8, "EmbedDim": 8, "Depth": 1, "Heads": 1 },
              "Measures": [], "Cells": [ { "Name": "plain", "Method": "Dino" } ] }
            """);
        var fault = Assert.Throws<UsageException>(() =>
            SceneStudy.Invoke(["study", plan, .. options.Select(o => o == "FOLDER" ? folder.Path : o)]));
        Assert.Contains(expected, fault.Message);
    }

    [Fact]
    public void The_name_of_a_plan_leads_to_no_other_folder()
    {
        string elsewhere = Path.Combine(folder.Path, "elsewhere");
        string plan = Write($$"""
            { "Name": {{System.Text.Json.JsonSerializer.Serialize(elsewhere)}}, "Data": { "Train": "train" }, "ImagesSeen": 10,
              "Encoder": { "ImageSize": 32, "PatchSize": 8, "EmbedDim": 8, "Depth": 1, "Heads": 1 },
              "Measures": [], "Cells": [ { "Name": "plain", "Method": "Dino" } ] }
            """);
        string made = Path.Combine("artifacts", PlanReader.Read(plan).Slug);
        SceneStudy.Invoke("study", plan, "--report-only");
        Assert.False(Directory.Exists(elsewhere));
        Assert.True(File.Exists(Path.Combine(made, "study.md")));
        Directory.Delete(made, recursive: true);
    }

    public void Dispose() => folder.Dispose();

    private string Write(string json) => folder.Write("plan.json", System.Text.Encoding.UTF8.GetBytes(json));
}
