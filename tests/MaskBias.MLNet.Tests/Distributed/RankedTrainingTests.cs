using MaskBias.MLNet.Benchmarks.Distributed;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Tests.Distributed;

/// <summary>Programs of this repository on several ranks, under each MPI that this machine has.</summary>
public sealed class RankedTrainingTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly TempFolder folder = new();

    [Theory]
    [InlineData("mpirun.openmpi")]
    [InlineData("mpirun.mpich")]
    public void Every_rank_gets_what_the_others_have(string launcher)
    {
        using var job = RankedJob.Start(Installed(launcher), 3, ["dotnet", Program("tests/Ranks", "MaskBias.MLNet.Ranks"), "exchange"]);
        Assert.True(job.Wait(Patience) == 0, job.Errors);
        Assert.Matches(@"3 ranks, (Open MPI v|MPICH).*: right", job.Output);
    }

    [Fact]
    public void Two_ranks_learn_what_one_learns_with_each_method()
    {
        using var job = RankedJob.Start(Installed(), 2, ["dotnet", Program("tests/Ranks", "MaskBias.MLNet.Ranks"), "equal"]);
        Assert.True(job.Wait(Patience) == 0, job.Output + job.Errors);
        string[] lines = [.. job.Output.Split('\n').Where(l => l.Contains("20 steps on 2 ranks", StringComparison.Ordinal))];
        Assert.Equal(14, lines.Length);                         // seven methods, float64 and float32
        Assert.All(lines, l => Assert.EndsWith("ranks alike: equal", l.TrimEnd()));
    }

    [Fact]
    public void The_tool_trains_on_two_ranks_as_on_one_and_goes_on_with_another_number()
    {
        string launcher = Installed();
        var one = new FaultyRun(Tool, Images(), Path.Combine(folder.Path, "one"));
        var two = new FaultyRun(Tool, Images(), Path.Combine(folder.Path, "two"));
        Run(launcher, 1, one.Command(Images(), epochs: 3));
        Run(launcher, 2, two.Command(Images(), epochs: 3));
        Assert.Equal(6, two.Losses().Count);
        Assert.All(Pairs.Of(one.Losses(), two.Losses()), p => Assert.True(p.First.Step == p.Second.Step && Math.Abs(p.First.Loss - p.Second.Loss) < 1e-4, $"{p}"));
        using var first = EncoderCheckpoint.Load(Path.Combine(folder.Path, "one", "run", "encoder"));
        using var second = EncoderCheckpoint.Load(Path.Combine(folder.Path, "two", "run", "encoder"));
        var weights = Pretraining.TinyTraining.Weights(second);
        Assert.All(Pretraining.TinyTraining.Weights(first).Where(w => !w.Key.EndsWith("qkv.bias", StringComparison.Ordinal)),
            w => Assert.True(Pairs.Of(w.Value, weights[w.Key]).All(p => Math.Abs(p.First - p.Second) < 1e-4), w.Key));

        string checkpoints = Path.Combine(folder.Path, "two", "run", "checkpoints");
        foreach (int later in new[] { 4, 6 }) Directory.Delete(Path.Combine(checkpoints, $"step-{later:D9}"), recursive: true);
        Run(launcher, 1, [.. two.Command(Images(), epochs: 3), "--resume"]);
        Assert.Equal([1L, 2, 3, 4, 5, 6], two.Losses().Select(l => l.Step));
        Assert.All(Pairs.Of(one.Losses(), two.Losses()), p => Assert.True(Math.Abs(p.First.Loss - p.Second.Loss) < 1e-4, $"{p}"));
    }

    [Fact]
    public void Fine_tuning_on_two_ranks_goes_on_with_one()
    {
        string launcher = Installed(), encoder = Path.Combine(folder.Path, "encoder");
        using (var made = Pretraining.TinyTraining.Teacher()) EncoderCheckpoint.Save(made, encoder);
        Run(launcher, 1, Command("one"));
        Run(launcher, 2, Command("two"));
        var (one, two) = (Losses("one"), Losses("two"));
        Assert.Equal(one.Count, two.Count);
        AssertNear(one, two);

        var checkpoints = RunRecord.Read(Path.Combine(folder.Path, "two")).Checkpoints;
        Assert.Equal(3, checkpoints.Count);
        foreach (var later in checkpoints.Skip(1)) Directory.Delete(Path.GetDirectoryName(later.EncoderPath)!, recursive: true);
        Run(launcher, 1, [.. Command("two"), "--resume"]);
        AssertNear(one, Losses("two"));

        string[] Command(string run) =>
        [
            "dotnet", Tool, "finetune", encoder, "--images", Images(), "--output", Path.Combine(folder.Path, run + ".zip"), "--run", Path.Combine(folder.Path, run),
            "--epochs", "3", "--batch-size", "4", "--validation-fraction", "0.4", "--ema-momentum", "0.5", "--seed", "3", "--learning-rate", "0.01",
            "--precision", "Float32",
        ];

        List<(long, double)> Losses(string run) => [.. RunRecord.Read(Path.Combine(folder.Path, run)).ReadMetrics()
            .Select(m => (m.Step, m.Values["loss"]))];

        static void AssertNear(List<(long Step, double Loss)> expected, List<(long Step, double Loss)> actual)
        {
            Assert.Equal(expected.Select(l => l.Step), actual.Select(l => l.Step));
            Assert.All(Pairs.Of(expected, actual), p => Assert.Equal(p.First.Loss, p.Second.Loss, 1e-4));
        }
    }

    [Fact]
    public void Few_images_are_mixed_in_pairs_on_two_ranks()
    {
        string encoder = Path.Combine(folder.Path, "encoder"), run = Path.Combine(folder.Path, "run");
        using (var made = Pretraining.TinyTraining.Teacher()) EncoderCheckpoint.Save(made, encoder);
        Run(Installed(), 2,
        [
            "dotnet", Tool, "finetune", encoder, "--images", Images(), "--output", Path.Combine(folder.Path, "model.zip"), "--run", run,
            "--epochs", "1", "--batch-size", "64", "--validation-fraction", "0.5", "--mixup", "0.8", "--seed", "3", "--precision", "Float32",
        ]);
        Assert.Contains("BatchSize is 8, not 64: there are 10 images, and 2 ranks share them evenly in pairs.", RunDescription.Read(run)!.Adjustments);
    }

    [Theory]
    [InlineData("--weight-decay", "0.1", "0.2", "WeightDecay")]
    [InlineData("--nearest-neighbor-monitor-every-epochs", "1", "2", "NearestNeighborMonitor.EveryEpochs")]     // which a resumed run may change
    public void Ranks_of_other_options_are_refused_by_name(string option, string first, string second, string name)
    {
        string[] command = new FaultyRun(Tool, Images(), Path.Combine(folder.Path, "run")).Command(Images(), epochs: 3);
        using var job = RankedJob.StartEach(Installed(), [.. command, option, first], [.. command, option, second]);
        Assert.NotEqual(0, job.Wait(Patience));
        Assert.Contains("Rank 1 is not of the same run as rank 0", job.Errors);
        Assert.Contains($"{name} was {first}, now {second}", job.Errors);
    }

    [Theory]
    [InlineData(nameof(RankFault.Kill), 1, 1)]
    [InlineData(nameof(RankFault.Exception), 1, 2)]
    public void A_job_whose_rank_fails_ends_and_goes_on(string fault, int rank, int resumeOn)
    {
        var run = new FaultyRun(Tool, Images(), Path.Combine(folder.Path, "run"));
        Assert.Null(run.Run(Installed(), Enum.Parse<RankFault>(fault), rank, resumeOn).Wrong);
    }

    [Fact]
    public void A_launcher_of_another_mpi_is_refused()
    {
        string launcher = Installed("mpirun.openmpi");
        Installed("mpirun.mpich");
        using var job = RankedJob.Start(launcher, 2,
            ["env", "MASKBIAS_MPI_LIBRARY=libmpich.so.12", "dotnet", Program("tests/Ranks", "MaskBias.MLNet.Ranks"), "exchange"]);
        Assert.NotEqual(0, job.Wait(Patience));
        Assert.Contains("are of different MPIs", job.Errors);
    }

    [Fact]
    public void Embeddings_are_written_in_a_part_for_each_rank_and_parts_are_left_out_that_are_there()
    {
        string launcher = Installed(), output = Path.Combine(folder.Path, "all.parquet"), encoder = Path.Combine(folder.Path, "encoder");
        using (var made = Pretraining.TinyTraining.Teacher()) EncoderCheckpoint.Save(made, encoder);
        string[] command = ["dotnet", Tool, "embed", encoder, "--images", Images(), "--output", output];
        Run(launcher, 2, command);
        string[] parts = [.. Directory.EnumerateFiles(output, "*.parquet").Order()];
        Assert.Equal(["part-00000-of-00002.parquet", "part-00001-of-00002.parquet"], parts.Select(Path.GetFileName));
        var before = File.GetLastWriteTimeUtc(parts[1]);
        File.Delete(parts[0]);
        string second = Run(launcher, 2, command).Output;
        Assert.Contains("images: 10", second);
        Assert.True(File.Exists(parts[0]));
        Assert.Equal(before, File.GetLastWriteTimeUtc(parts[1]));
    }

    public void Dispose() => folder.Dispose();

    private static string Tool => Program("src/Samples/Cli", "maskbias");

    private static string Program(string project, string name)
    {
        string configuration = AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar).Contains("Debug") ? "Debug" : "Release";
        return Path.Combine(Fixtures.Root, project, "bin", configuration, "net10.0", name + ".dll");
    }

    private static string Installed(string? launcher = null)
    {
        var all = RankedJob.Launchers;
        Assert.SkipWhen(launcher is null && all.Count == 0, "there is no mpirun (packages openmpi-bin or mpich)");
        Assert.SkipWhen(launcher is not null && !all.Contains(launcher), $"there is no {launcher} (packages openmpi-bin and mpich)");
        return launcher ?? all[0];
    }

    private static (string Output, string Errors) Run(string launcher, int ranks, string[] command)
    {
        using var job = RankedJob.Start(launcher, ranks, command);
        Assert.True(job.Wait(Patience) == 0, job.Errors);
        return (job.Output, job.Errors);
    }

    private string Images()
    {
        string images = Path.Combine(folder.Path, "scenes");
        if (!Directory.Exists(images)) ShapeScenes.Generate(images, new() { Size = 32, ImagesPerClass = 2 });
        return images;
    }
}
