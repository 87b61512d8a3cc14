using System.Text.Json;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training.Output;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Training.Output;

/// <summary>What a run leaves in its folder, and what it refuses.</summary>
public sealed class RunFolderTests(SceneFolder scenes) : IClassFixture<SceneFolder>, IDisposable
{
    private readonly MLContext ml = new(1);
    private readonly TempFolder folder = new();
    private readonly List<string> log = [];

    [Fact]
    public void The_last_checkpoints_are_kept_with_an_encoder_each()
    {
        using var model = Fit(o => (o.Epochs, o.Output.KeepCheckpoints) = (5, 2));
        string[] kept = [.. Directory.GetDirectories(At("checkpoints")).Order(StringComparer.Ordinal).Select(p => Path.GetFileName(p)!)];
        Assert.Equal(["step-000000008", "step-000000010"], kept);
        Assert.Equal(At("checkpoints/step-000000010"), model.Report.Checkpoint);
        using var encoder = EncoderCheckpoint.Load(At("checkpoints/step-000000010/encoder"));
        TinyTraining.AssertSame(TinyTraining.Weights(model.Encoder), TinyTraining.Weights(encoder));
    }

    [Fact]
    public void The_configuration_is_there_before_the_first_step()
    {
        string? text = null;
        using var model = Fit(o => o.Progress = new Each(_ => text ??= File.ReadAllText(At("run.json"))));
        using var json = JsonDocument.Parse(text!);
        Assert.Equal("DINO", json.RootElement.GetProperty("phase").GetString());
        Assert.Equal("24", json.RootElement.GetProperty("options").GetProperty("Encoder.EmbedDim").GetString());
        Assert.Equal("2", json.RootElement.GetProperty("resolved").GetProperty("stepsPerEpoch").GetString());
        Assert.Contains(json.RootElement.GetProperty("adjustments").EnumerateArray(), a => a.GetString()!.StartsWith("WarmupEpochs", StringComparison.Ordinal));
    }

    [Fact]
    public void A_used_folder_is_refused_unless_asked()
    {
        Fit(_ => { }).Dispose();
        var error = Assert.Throws<InvalidOperationException>(() => Fit(_ => { }));
        Assert.Contains("Resume", error.Message);
        Assert.Contains("Overwrite", error.Message);
        using var again = Fit(o => (o.Output.WhenUsed, o.Epochs) = (ExistingRun.Overwrite, 1));
        Assert.Equal(2, again.Report.Losses.Count);
        Assert.Single(Directory.GetDirectories(At("checkpoints")));
        Assert.Equal(2, File.ReadAllLines(At("metrics.jsonl")).Length);
    }

    [Fact]
    public void A_run_is_not_overwritten_by_one_that_cannot_begin()
    {
        Fit(_ => { }).Dispose();
        string before = File.ReadAllText(At("metrics.jsonl"));
        Assert.Throws<ArgumentException>(() => Fit(o => (o.Output.WhenUsed, o.ImageColumnName) = (ExistingRun.Overwrite, "Photo")));
        Assert.Equal(before, File.ReadAllText(At("metrics.jsonl")));
        Fit(o => o.Output.WhenUsed = ExistingRun.Resume).Dispose();
    }

    [Fact]
    public void Files_of_others_are_never_deleted()
    {
        File.WriteAllText(At("notes.txt"), "mine");
        Fit(_ => { }).Dispose();
        Fit(o => o.Output.WhenUsed = ExistingRun.Overwrite).Dispose();
        Assert.Equal("mine", File.ReadAllText(At("notes.txt")));
        File.Delete(At("run.json"));
        var error = Assert.Throws<InvalidOperationException>(() => Fit(o => o.Output.WhenUsed = ExistingRun.Overwrite));
        Assert.Contains("no run.json", error.Message);
    }

    [Fact]
    public void A_run_json_of_another_program_is_refused_and_nothing_deleted()
    {
        Directory.CreateDirectory(At("checkpoints"));
        File.WriteAllText(At("checkpoints/theirs.bin"), "x");
        File.WriteAllText(At("run.json"), "{\"name\": \"of another program\"}");
        Assert.Throws<InvalidDataException>(() => Fit(o => o.Output.WhenUsed = ExistingRun.Overwrite));
        Assert.True(File.Exists(At("checkpoints/theirs.bin")) && File.Exists(At("run.json")));
    }

    [Fact]
    public void Decoded_images_of_other_pixels_are_refused()
    {
        var rows = scenes.Rows();
        Train(rows, ExistingRun.Refuse);
        Train(rows, ExistingRun.Resume);
        (rows[1].ImagePath, rows[2].ImagePath) = (rows[2].ImagePath, rows[1].ImagePath);
        Assert.Contains("images", Assert.Throws<InvalidOperationException>(() => Train(rows, ExistingRun.Resume)).Message);

        void Train(List<SceneRow> data, ExistingRun whenUsed)
        {
            var view = ml.Data.LoadFromEnumerable(data);
            var decoded = ml.Transforms.LoadImages("Image", null, "ImagePath").Fit(view).Transform(view);
            var options = Options(o => (o.ImageColumnName, o.Epochs, o.Output.WhenUsed) = ("Image", 1, whenUsed));
            ml.SelfSupervised().Dino(options).Fit(decoded).Dispose();
        }
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("flipped")]
    [InlineData("unmarked")]
    [InlineData("oversized")]
    public void A_damaged_checkpoint_falls_back_to_the_one_before(string damage)
    {
        using var whole = Fit(_ => { });
        string last = At("checkpoints/step-000000006"), state = Path.Combine(last, "state.safetensors");
        byte[] bytes = File.ReadAllBytes(state);
        if (damage == "cut") File.WriteAllBytes(state, bytes[..(bytes.Length / 2)]);
        if (damage == "unmarked") File.Delete(Path.Combine(last, "checkpoint.json"));
        if (damage == "oversized")
        {
            using var mark = File.OpenWrite(Path.Combine(last, "checkpoint.json"));
            mark.SetLength(1L << 40);                       // a hole, which takes no space
        }
        if (damage == "flipped")
        {
            bytes[^100] ^= 1;
            File.WriteAllBytes(state, bytes);
        }
        using var resumed = Fit(o => o.Output.WhenUsed = ExistingRun.Resume);
        Assert.Equal(4, resumed.Report.ResumedSteps);
        Assert.Contains(resumed.Report.Warnings, w => w.Contains("step-000000006", StringComparison.Ordinal) && w.Contains("damaged", StringComparison.Ordinal));
        TinyTraining.AssertSame(TinyTraining.Weights(whole.Encoder), TinyTraining.Weights(resumed.Encoder));
    }

    [Fact]
    public void When_all_are_damaged_the_error_says_what_to_do()
    {
        Fit(_ => { }).Dispose();
        foreach (string mark in Directory.GetFiles(At("checkpoints"), "checkpoint.json", SearchOption.AllDirectories)) File.WriteAllText(mark, "{");
        var error = Assert.Throws<InvalidDataException>(() => Fit(o => o.Output.WhenUsed = ExistingRun.Resume));
        Assert.Contains("Overwrite", error.Message);
    }

    [Fact]
    public void What_resuming_cannot_honour_is_refused_by_name()
    {
        Fit(_ => { }).Dispose();
        var error = Assert.Throws<InvalidOperationException>(() => Fit(o =>
            (o.Output.WhenUsed, o.LearningRate, o.Encoder.Depth, o.Head.OutDim) = (ExistingRun.Resume, 0.1, 1, 64)));
        Assert.Contains("LearningRate was 0.0025, now 0.1", error.Message);
        Assert.Contains("Encoder.Depth was 2, now 1", error.Message);
        Assert.Contains("Head.OutDim was 32, now 64", error.Message);
        Fit(o => (o.Output.WhenUsed, o.LoaderThreads, o.ImageCacheMegabytes) = (ExistingRun.Resume, 2, 0)).Dispose();
    }

    [Fact]
    public void Other_images_are_refused()
    {
        Fit(_ => { }).Dispose();
        var rows = scenes.Rows();
        rows.RemoveAt(3);
        var options = Options(o => o.Output.WhenUsed = ExistingRun.Resume);
        var error = Assert.Throws<InvalidOperationException>(() => ml.SelfSupervised().Dino(options).Fit(ml.Data.LoadFromEnumerable(rows)));
        Assert.Contains("images", error.Message);
    }

    [Fact]
    public void A_seed_of_the_context_is_kept_with_the_run()
    {
        using var whole = Fit(o => o.Seed = null);
        Directory.Delete(At("checkpoints/step-000000006"), recursive: true);
        using var resumed = Fit(o => (o.Seed, o.Output.WhenUsed) = (null, ExistingRun.Resume));
        Assert.Equal(4, resumed.Report.ResumedSteps);
        TinyTraining.AssertSame(TinyTraining.Weights(whole.Encoder), TinyTraining.Weights(resumed.Encoder));
    }

    [Fact]
    public void Two_runs_cannot_share_a_folder_at_once()
    {
        IOException? error = null;
        Fit(o => o.Progress = new Each(_ => error ??= Assert.Throws<IOException>(() =>
            Fit(second => second.Output.WhenUsed = ExistingRun.Overwrite)))).Dispose();
        Assert.Contains("in use by another run", error!.Message);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_names_the_last_good_one()
    {
        var error = Assert.ThrowsAny<IOException>(() => Fit(o => o.Progress = new Each(p =>
        {
            if (p.Step != 3) return;
            Directory.Move(At("checkpoints"), At("elsewhere"));
            File.WriteAllText(At("checkpoints"), "no folder");            // as a full disk would, it stops what comes next
        })));
        Assert.Contains("The last good one is", error.Message);
        File.Delete(At("checkpoints"));
        Directory.Move(At("elsewhere"), At("checkpoints"));
        using var resumed = Fit(o => o.Output.WhenUsed = ExistingRun.Resume);
        Assert.Equal(2, resumed.Report.ResumedSteps);
    }

    [Fact]
    public void What_an_interrupted_write_left_is_removed()
    {
        Fit(_ => { }).Dispose();
        string left = At("checkpoints/step-000000099.abc.tmp");
        Directory.CreateDirectory(left);
        Fit(o => o.Output.WhenUsed = ExistingRun.Resume).Dispose();
        Assert.False(Directory.Exists(left));
    }

    private PretrainedTransformer Fit(Action<DinoOptions> change)
    {
        ml.Log += (_, e) => log.Add(e.RawMessage);
        return ml.SelfSupervised().Dino(Options(change)).Fit(scenes.LoadWithMasks(ml));
    }

    // Three epochs of two steps.
    private DinoOptions Options(Action<DinoOptions> change) => TinyTraining.MaskedDino().With(o =>
    {
        (o.Epochs, o.Output.Folder) = (3, folder.Path);
        change(o);
    });

    private string At(string name) => Path.Combine(folder.Path, name);

    public void Dispose() => folder.Dispose();
}
