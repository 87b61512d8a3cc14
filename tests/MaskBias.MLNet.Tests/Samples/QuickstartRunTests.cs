using System.Text.Json;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>Runs the built program as its user does.</summary>
public sealed class QuickstartRunTests : IDisposable
{
    private readonly TempFolder folder = new();

    private string Output => Path.Combine(folder.Path, "out");

    [Fact]
    public void A_short_run_writes_everything_and_the_model_predicts_in_a_process_with_ML_NET_alone()
    {
        var (code, text, errors) = BuiltProgram.Run("src/Samples/Quickstart", "Quickstart", "--short", "--output", Output);
        Assert.True(code == 0, $"The Quickstart ended with {code}: {errors}\n{text}");
        foreach (string expected in new[]
                 {
                     "160 images to train on, 40 held out, 10 classes", "DINO: step 4/4", "Distillation: step 2/2", "k-NN",
                     "random encoder", "phase 1, without masks", "phase 1, with its masks", "distilled student", "Learned α",
                 })
        {
            Assert.Contains(expected, text);
        }
        foreach (string picture in new[] { "loss.png", "masks.png", "attention.png" })
        {
            using var bitmap = SKBitmap.Decode(Path.Combine(Output, picture));
            Assert.True(bitmap.Width > 300 && bitmap.Pixels.Distinct().Count() > 20, $"{picture} shows nothing");
        }
        using (var student = EncoderCheckpoint.Load(Path.Combine(Output, "encoder"))) Assert.False(student.Model.IsMaskGuided);
        using (var teacher = EncoderCheckpoint.Load(Path.Combine(Output, "teacher"))) Assert.True(teacher.Model.IsMaskGuided);
        Assert.Empty(Directory.GetFiles(Output, "*.part"));
        Assert.Empty(Directory.GetFiles(Output, "*.tmp"));

        string model = Path.Combine(Output, "model.zip");
        string[] images = [.. ShapeScenes.ClassNames.Select(name => Path.Combine(Output, "scenes", name, "0000.png"))];
        AssertPredictsWithoutLabels(model, images);
        var (freshCode, lines, freshErrors) = BuiltProgram.Run("tests/FreshProcess", "FreshProcess", [model, .. images]);
        Assert.True(freshCode == 0, $"FreshProcess ended with {freshCode}: {freshErrors}");
        string[] rows = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(images.Length, rows.Length);
        foreach (string row in rows)
        {
            using var json = JsonDocument.Parse(row);
            Assert.Contains(json.RootElement.GetProperty("label").GetString(), ShapeScenes.ClassNames);
            Assert.Equal(10, json.RootElement.GetProperty("score").GetArrayLength());
            Assert.True(json.RootElement.GetProperty("features").GetArrayLength() > 1);
        }
    }

    [Fact]
    public void A_short_run_of_MAE_ends_with_a_model_the_accuracies_and_reconstructions()
    {
        var (code, text, errors) = BuiltProgram.Run("src/Samples/Quickstart", "Quickstart", "--method", "mae", "--short", "--output", Output);
        Assert.True(code == 0, $"The Quickstart ended with {code}: {errors}\n{text}");
        foreach (string expected in new[] { "epochs of MAE", "MAE: step", "Distillation: step", "k-NN", "distilled student", "Learned α" })
            Assert.Contains(expected, text);
        foreach (string picture in new[] { "loss.png", "masks.png", "attention.png", "reconstruction.png" })
        {
            using var bitmap = SKBitmap.Decode(Path.Combine(Output, picture));
            Assert.True(bitmap.Width > 300 && bitmap.Pixels.Distinct().Count() > 20, $"{picture} shows nothing");
        }
        using (var teacher = EncoderCheckpoint.Load(Path.Combine(Output, "teacher"))) Assert.NotNull(teacher.Decoder);
        AssertPredictsWithoutLabels(Path.Combine(Output, "model.zip"),
            [.. ShapeScenes.ClassNames.Select(name => Path.Combine(Output, "scenes", name, "0000.png"))]);
    }

    [Fact]
    public void Without_masks_the_encoder_is_plain_and_its_row_with_masks_and_alpha_are_left_out()
    {
        var (code, text, errors) = BuiltProgram.Run("src/Samples/Quickstart", "Quickstart", "--no-masks", "--method", "mae", "--short", "--output", Output);
        Assert.True(code == 0, $"The Quickstart ended with {code}: {errors}\n{text}");
        Assert.Contains("phase 1, without masks", text);
        Assert.DoesNotContain("phase 1, with its masks", text);
        Assert.DoesNotContain("Learned α", text);
        using var teacher = EncoderCheckpoint.Load(Path.Combine(Output, "teacher"));
        Assert.All(teacher.Model.BiasValues(), layer => Assert.All(layer.Alpha ?? [], alpha => Assert.Equal(0, alpha)));
    }

    [Fact]
    public void Ctrl_C_leaves_a_run_that_goes_on()
    {
        string[] arguments = ["--short", "--epochs", "60", "--output", Output];
        string metrics = Path.Combine(Output, "runs", "pretraining", "metrics.jsonl");
        using (var child = BuiltProgram.Start("src/Samples/Quickstart", "Quickstart", arguments))
        {
            while (!child.HasExited && !(File.Exists(metrics) && new FileInfo(metrics).Length > 0)) Thread.Sleep(5);
            child.Interrupt();
            var (stopped, _, errors) = child.End();
            Assert.Equal(130, stopped);
            Assert.Contains("--resume", errors);
        }
        int before = File.ReadAllLines(metrics).Length;
        Assert.InRange(before, 1, 119);
        var (code, text, resumeErrors) = BuiltProgram.Run("src/Samples/Quickstart", "Quickstart", [.. arguments, "--resume"]);
        Assert.True(code == 0, $"The Quickstart ended with {code}: {resumeErrors}\n{text}");
        Assert.Equal(120, File.ReadAllLines(metrics).Length);
        Assert.DoesNotContain("step 1/120", text);
        Assert.Contains("distilled student", text);
    }

    [Fact]
    public void A_flat_folder_with_a_damaged_file_gives_a_model_of_features_alone()
    {
        string photos = Path.Combine(folder.Path, "photos");
        Directory.CreateDirectory(photos);
        foreach (int i in Enumerable.Range(0, 12)) File.Copy(Scene(i), Path.Combine(photos, $"{i}.png"));
        File.WriteAllBytes(Path.Combine(photos, "damaged.png"), [1, 2, 3]);

        var (code, text, errors) = BuiltProgram.Run("src/Samples/Quickstart", "Quickstart", "--short", "--images", photos, "--output", Output);
        Assert.True(code == 0, $"The Quickstart ended with {code}: {errors}\n{text}");
        Assert.Contains("13 images to train on, 0 held out, no labels", text);
        Assert.Contains("1 of 13 images cannot be read and are left out", text);
        Assert.Contains("Accuracies: skipped", text);
        var ml = new MLContext(1);
        var schema = ml.Model.Load(Path.Combine(Output, "model.zip"), out var input).GetOutputSchema(input);
        Assert.Contains(schema, c => c.Name == "Features");
        Assert.DoesNotContain(schema, c => c.Name is "Score" or "PredictedLabel" or "Label");
    }

    [Theory]
    [InlineData("--images", "missing", 1, "There is no folder")]
    [InlineData("--images", "", 1, "holds no images")]
    [InlineData("--epochs", "0", 2, "--epochs is 0")]
    public void What_cannot_work_ends_with_one_clear_message(string option, string value, int expected, string message)
    {
        if (option == "--images") value = Path.Combine(folder.Path, value);
        var (code, _, errors) = BuiltProgram.Run("src/Samples/Quickstart", "Quickstart", option, value, "--output", Output);
        Assert.Equal(expected, code);
        Assert.Contains(message, errors);
        if (expected == 1) Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public void Dispose() => folder.Dispose();

    private static void AssertPredictsWithoutLabels(string path, string[] images)
    {
        var ml = new MLContext(1);
        var model = ml.Model.Load(path, out var input);
        Assert.Equal(["ImagePath"], input.Select(c => c.Name));
        var predictions = model.Transform(ml.Data.LoadFromEnumerable(images.Select(image => new PathOnly { ImagePath = image })));
        Assert.All(predictions.GetColumn<string>("PredictedLabel"), label => Assert.Contains(label, ShapeScenes.ClassNames));
        (model as IDisposable)?.Dispose();
    }

    private string Scene(int i)
    {
        string scenes = Path.Combine(folder.Path, "scenes");
        if (!Directory.Exists(scenes)) ShapeScenes.Generate(scenes, new() { ImagesPerClass = 2 });
        return Path.Combine(scenes, ShapeScenes.ClassNames[i % 10], $"{i / 10:0000}.png");
    }

    private sealed class PathOnly
    {
        public string ImagePath { get; set; } = "";
    }
}
