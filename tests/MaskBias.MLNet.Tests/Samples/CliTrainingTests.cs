using System.Text.Json;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Samples.Scenes;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Weights;
using Microsoft.ML;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>The maskbias tool from a folder of photos to models, run as its user does.</summary>
public sealed class CliTrainingTests : IDisposable
{
    private static readonly string[] Tiny =
        ["--encoder-image-size", "32", "--encoder-embed-dim", "24", "--encoder-depth", "1", "--encoder-heads", "2", "--batch-size", "8", "--device", "cpu"];

    private readonly ShapePhotos photos = new(perClass: 6);
    private readonly TempFolder folder = new();

    [Fact]
    public void From_photos_to_an_encoder_and_from_it_to_everything_else()
    {
        string run = At("run"), encoder = At("run/encoder");
        var masks = Json("masks", "--images", photos.Path, "--output", At("masks"), "--pictures", At("pictures"));
        Assert.Equal((18, 0), (masks.GetProperty("written").GetInt32(), masks.GetProperty("unreadable").GetInt32()));
        string maskFile = Directory.GetFiles(At("masks"), "*.json", SearchOption.AllDirectories)[0];
        Assert.True(Sa1bFile.Read(maskFile).Annotations.Count > 0);
        Assert.Equal(18, Directory.GetFiles(At("pictures"), "*.png", SearchOption.AllDirectories).Length);
        Assert.Equal(18, Json("masks", "--images", photos.Path, "--output", At("masks"), "--pictures", At("later")).GetProperty("alreadyThere").GetInt32());
        Assert.Equal(18, Directory.GetFiles(At("later"), "*.png", SearchOption.AllDirectories).Length);

        string config = folder.Write("dino.json", """{ "Head": { "OutDim": 48, "HiddenDim": 32 }, "Epochs": 1, "Views": { "LocalViews": 0 } }"""u8.ToArray());
        var trained = Json(["pretrain", "dino", "--images", photos.Path, "--masks", At("masks"), "--output", run, "--config", config, "--epochs", "2", .. Tiny]);
        Assert.Equal((18, 4), (trained.GetProperty("images").GetInt32(), trained.GetProperty("steps").GetInt32()));
        Assert.True(trained.TryGetProperty("kNNAccuracy", out _));
        using (var loaded = EncoderCheckpoint.Load(encoder))
            Assert.Equal((48, true, 24), (loaded.Head!.Options.OutDim, loaded.Model.IsMaskGuided, loaded.FeatureDim));

        var student = Json("distill", encoder, "--images", photos.Path, "--masks", At("masks"), "--output", At("student"), "--epochs", "1", "--views-local-views", "0", "--batch-size", "8");
        string plain = student.GetProperty("encoder").GetString()!;
        Assert.Contains(Lines("knn", plain, "--images", photos.Path), l => l.StartsWith("accuracy: ", StringComparison.Ordinal));

        var probe = Json("probe", plain, "--images", photos.Path, "--output", At("probe.zip"), "--epochs", "5", "--learning-rates", "0.1,0.5",
            "--weight-decay", "0.01", "--weight-decays", "null");
        Assert.Equal(3, probe.GetProperty("heldOut").GetInt32());
        var model = new MLContext().Model.Load(At("probe.zip"), out var schema);
        Assert.Equal(["ImagePath"], schema.Select(c => c.Name));
        Assert.NotNull(model);

        var predicted = Json("predict", At("probe.zip"), "--images", photos.Path, "--output", At("predictions.csv"));
        Assert.Equal((18, 0, 3), (predicted.GetProperty("images").GetInt32(), predicted.GetProperty("unreadable").GetInt32(), predicted.GetProperty("classes").GetInt32()));
        AssertPredictions(model, predicted.GetProperty("accuracy").GetDouble());

        string table = At("embeddings.csv");
        Assert.Equal(18, Json("embed", plain, "--images", photos.Path, "--output", table).GetProperty("images").GetInt32());
        Assert.All(File.ReadLines(table), line => Assert.Equal(2 + 24, line.Split(',').Length));
        Assert.Equal(24, Json("embed", plain, "--images", photos.Path, "--output", At("embeddings.parquet")).GetProperty("dimensions").GetInt32());
        Assert.True(new FileInfo(At("embeddings.parquet")).Length > 500);
    }

    // Each row is what ML.NET itself says of the image.
    private void AssertPredictions(ITransformer model, double accuracy)
    {
        string[] lines = File.ReadAllLines(At("predictions.csv"));
        Assert.Equal(1 + 18, lines.Length);
        string[] classes = [.. lines[0].Split(',')[3..].Select(name => name.Trim('"'))];
        var expected = new MLContext().Data.CreateEnumerable<ShapePhotos.Prediction>(
            model.Transform(photos.Load(new())), reuseRowObject: false, ignoreMissingColumns: true).ToArray();
        int right = 0;
        for (int i = 0; i < 18; i++)
        {
            string[] cells = lines.Skip(1).Single(l => l.StartsWith($"\"{photos.Rows[i].ImagePath}\"", StringComparison.Ordinal)).Split(',');
            float[] probabilities = [.. cells[3..].Select(c => float.Parse(c, System.Globalization.CultureInfo.InvariantCulture))];
            Assert.All(Pairs.Of(expected[i].Score, probabilities), p => Assert.Equal(p.First, p.Second, 1e-3f));
            Assert.Equal((classes[Array.IndexOf(probabilities, probabilities.Max())], cells[2]), (cells[1].Trim('"'), cells[3 + Array.IndexOf(probabilities, probabilities.Max())]));
            if (cells[1].Trim('"') == photos.Rows[i].Label) right++;
        }
        Assert.Equal(right / 18.0, accuracy, 1e-9);
    }

    [Fact]
    public void A_damaged_image_that_was_held_out_does_not_cost_the_training()
    {
        Json(["pretrain", "mae", "--images", photos.Path, "--masks", "none", "--output", At("run"), "--epochs", "1", .. Tiny, "--decoder-embed-dim", "12", "--decoder-depth", "1"]);
        using var held = new ShapePhotos(perClass: 2);
        string damaged = held.Rows[0].ImagePath;
        File.WriteAllBytes(damaged, held.Rows[0].Encoded[..(held.Rows[0].Encoded.Length / 2)]);
        File.WriteAllBytes(Path.Combine(held.Path, "a.heic"), [0, 0, 0, 24, .. "ftypheic"u8]);
        string[] sets = ["--images", photos.Path, "--test", held.Path];
        var probe = Json(["probe", At("run/encoder"), .. sets, "--output", At("probe.zip"), "--epochs", "5"]);
        Assert.Equal((5, 1), (probe.GetProperty("heldOut").GetInt32(), probe.GetProperty("heldOutButUnreadable").GetInt32()));
        var neighbours = Json(["knn", At("run/encoder"), .. sets]);
        Assert.Equal((18, 5, 1), (neighbours.GetProperty("neighbours").GetInt32(), neighbours.GetProperty("heldOut").GetInt32(), neighbours.GetProperty("unreadable").GetInt32()));
        var found = Json(["experiment", At("run/encoder"), .. sets, "--output", At("found"), "--allowed", "LbfgsMaximumEntropy", "--max-trials", "1"]);
        Assert.Equal(1, found.GetProperty("heldOutButUnreadable").GetInt32());

        var (code, _, errors) = Run("predict", At("probe.zip"), "--images", held.Path, "--output", At("predictions.csv"));
        Assert.True(code == 0 && errors.Contains(damaged, StringComparison.Ordinal), errors);
        Assert.Contains("1 files are of formats that cannot be read (.heic, ", errors);
        Assert.Equal(1 + 5, File.ReadAllLines(At("predictions.csv")).Length);
        (code, _, errors) = Run("embed", At("run/encoder"), "--images", held.Path, "--output", At("embeddings.csv"));
        Assert.True(code == 0 && errors.Contains("1 files are of formats that cannot be read (.heic, ", StringComparison.Ordinal), errors);
        (code, _, errors) = Run("predict", held.Rows[1].ImagePath, "--images", held.Path, "--output", At("predictions.csv"));
        Assert.True(code == 2 && errors.Contains("is neither an ML.NET model (.zip) nor an ONNX encoder", StringComparison.Ordinal), errors);
        (code, _, errors) = Run("predict", At("none.zip"), "--images", held.Path, "--output", At("predictions.csv"));
        Assert.True(code == 2 && errors.Contains("there is no such file", StringComparison.Ordinal), errors);
    }

    [Fact]
    public void Photos_that_are_stored_turned_are_learned_from_measured_and_predicted_upright()
    {
        EncoderOf("run");
        using var held = new ShapePhotos(perClass: 2);
        foreach (var row in photos.Rows.Concat(held.Rows))
        {
            using var bitmap = SkiaSharp.SKBitmap.Decode(row.Encoded);
            using var jpeg = bitmap.Encode(SkiaSharp.SKEncodedImageFormat.Jpeg, 95);
            File.WriteAllBytes(Path.ChangeExtension(row.ImagePath, ".jpg"), Images.SampleImages.JpegWithOrientation(jpeg.ToArray(), 6));
            File.Delete(row.ImagePath);
        }
        string[] sets = ["--images", photos.Path, "--test", held.Path];
        var (code, output, notes) = Run(["probe", At("run/encoder"), .. sets, "--output", At("probe.zip"), "--epochs", "5", "--json"]);
        Assert.True(code == 0 && notes.Contains("18 of 18 images are stored turned.", StringComparison.Ordinal), notes);
        double accuracy = JsonDocument.Parse(output).RootElement.GetProperty("accuracy").GetDouble();
        Assert.Equal(accuracy, Json("predict", At("probe.zip"), "--images", held.Path, "--output", At("upright.csv")).GetProperty("accuracy").GetDouble(), 1e-9);
        Json("predict", At("probe.zip"), "--images", held.Path, "--output", At("stored.csv"), "--apply-orientation", "false");
        Assert.NotEqual(File.ReadAllText(At("upright.csv")), File.ReadAllText(At("stored.csv")));

        (code, _, notes) = Run(["experiment", At("run/encoder"), .. sets, "--output", At("found"), "--allowed", "LbfgsMaximumEntropy", "--max-trials", "1"]);
        Assert.True(code == 0 && notes.Contains("18 of 18 images are stored turned.", StringComparison.Ordinal), notes);
    }

    [Fact]
    public void What_an_encoder_is_worth_is_told_by_one_that_has_learned_nothing()
    {
        string[] images = ["--images", photos.Path];
        Assert.Equal(15, Json(["knn", "random", .. images]).GetProperty("neighbours").GetInt32());
        double[] first = Features("random", "a"), second = Features("random:2", "b");
        Assert.Equal(first, Features("random:1", "c"));
        Assert.NotEqual(first, second);
        var tuned = Json(["finetune", "random", .. images, "--output", At("baseline.zip"), "--epochs", "2"]);
        Assert.Equal((15, 3), (tuned.GetProperty("trainedOn").GetInt32(), tuned.GetProperty("heldOut").GetInt32()));

        AssertRefused("checkpoint is 'random:x'; it must be random, or random: and a whole number.", "knn", "random:x");
        AssertRefused("--heads has no part in a random encoder.", "knn", "random", "--heads", "3");
        Assert.NotEqual(0, Run("describe", "random").Code);

        // The probabilities of a probe tell two encoders apart.
        double[] Features(string checkpoint, string name)
        {
            Json(["probe", checkpoint, .. images, "--output", At($"{name}.zip"), "--epochs", "3"]);
            Json(["predict", At($"{name}.zip"), .. images, "--output", At($"{name}.csv")]);
            return [.. File.ReadLines(At($"{name}.csv")).Skip(1).Select(line => double.Parse(line.Split(',')[2], System.Globalization.CultureInfo.InvariantCulture))];
        }

        void AssertRefused(string expected, params string[] command)
        {
            var (code, _, errors) = Run([.. command, .. images]);
            Assert.True(code == 2 && errors.Contains(expected, StringComparison.Ordinal), errors);
        }
    }

    [Fact]
    public void An_experiment_that_is_interrupted_gives_the_best_so_far()
    {
        EncoderOf("run");
        string runs = At("found/runs.jsonl");
        using var child = BuiltProgram.Start("src/Samples/Cli", "maskbias",
            "experiment", At("run/encoder"), "--images", photos.Path, "--output", At("found"), "--minutes", "5", "--label-efficiency", "--json");
        while (!child.HasExited && !(File.Exists(runs) && File.ReadLines(runs).Count() > 1)) Thread.Sleep(5);
        child.Interrupt();
        var (code, output, errors) = child.End();
        Assert.True(code == 0, errors);
        var result = JsonDocument.Parse(output).RootElement;
        Assert.Equal("Cancelled", result.GetProperty("stoppedBecause").GetString());
        Assert.InRange(result.GetProperty("accuracyOnImagesHeldOut").GetDouble(), 0, 1);
        Assert.NotNull(new MLContext().Model.Load(result.GetProperty("model").GetString()!, out _));
        Assert.False(File.Exists(At("found/labels.csv")));
    }

    [Fact]
    public void Images_that_differ_in_their_extension_alone_get_no_masks_of_each_other()
    {
        string png = Directory.GetFiles(photos.Path, "*.png", SearchOption.AllDirectories)[0];
        File.WriteAllBytes(Path.ChangeExtension(png, ".jpg"), Images.SampleImages.Noise(60, 50, SkiaSharp.SKEncodedImageFormat.Jpeg));
        var (code, _, errors) = Run("masks", "--images", photos.Path, "--output", At("masks"));
        Assert.True(code == 2 && errors.Contains("both would have their masks in", StringComparison.Ordinal), errors);
    }

    [Fact]
    public void Scenes_come_with_their_objects_masks()
    {
        var drawn = Json("scenes", "--output", At("scenes"), "--train", "2", "--test", "1", "--size", "32", "--seed", "5");
        Assert.Equal((20, 10), (drawn.GetProperty("toLearnFrom").GetInt32(), drawn.GetProperty("toMeasureOn").GetInt32()));
        string[] files = [.. Directory.GetFiles(At("scenes/train"), "*.png", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(At("scenes/train"), f)).Order()];
        Assert.Equal(files, Directory.GetFiles(At("scenes/masks/train"), "*.png", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(At("scenes/masks/train"), f)).Order());
        string star = Path.Combine(ShapeScenes.ClassNames[3], "0001.png");
        var scene = ShapeScenes.Render(3, 1, new() { Size = 32, Seed = 5 });
        using var mask = SkiaSharp.SKBitmap.Decode(At($"scenes/masks/train/{star}"));
        Assert.Equal(scene.ObjectMask.Select(inside => inside != 0), mask.Pixels.Select(p => p.Red > 127));
        Assert.Equal(20, Json("pretrain", "mae", "--images", At("scenes/train"), "--masks", At("scenes/masks/train"), "--output", At("run"), "--epochs", "1",
            "--encoder-image-size", "32", "--encoder-embed-dim", "24", "--encoder-depth", "1", "--encoder-heads", "2", "--batch-size", "8").GetProperty("images").GetInt32());

        var (code, _, errors) = Run("scenes", "--output", At("scenes"), "--clutter", "9");
        Assert.True(code == 2 && errors.Contains("Clutter is 9; it must lie in [0, 4]", StringComparison.Ordinal), errors);
        Directory.CreateDirectory(At("mine/train"));
        File.WriteAllText(At("mine/train/photo.txt"), "");
        (code, _, errors) = Run("scenes", "--output", At("mine"));
        Assert.True(code == 1 && errors.Contains("holds files that are not generated scenes", StringComparison.Ordinal), errors);
    }

    [Fact]
    public void A_damaged_image_gets_no_masks_and_is_left_out()
    {
        byte[] whole = Images.SampleImages.Noise(60, 50, SkiaSharp.SKEncodedImageFormat.Jpeg);
        File.WriteAllBytes(Path.Combine(Directory.GetDirectories(photos.Path)[0], "damaged.jpg"), whole[..(whole.Length / 2)]);
        Assert.Equal(1, Json("masks", "--images", photos.Path, "--output", At("masks")).GetProperty("unreadable").GetInt32());
        string[] command = ["pretrain", "mae", "--images", photos.Path, "--masks", At("masks"), .. Tiny, "--decoder-embed-dim", "12", "--decoder-depth", "1"];
        Assert.Equal(18, Json([.. command, "--output", At("run"), "--epochs", "1"]).GetProperty("images").GetInt32());

        // One that can be read must have them, unless that is allowed.
        File.Delete(Directory.GetFiles(At("masks"), "*.json", SearchOption.AllDirectories)[0]);
        var (code, _, errors) = Run([.. command, "--output", At("other"), "--epochs", "1"]);
        Assert.True(code == 1 && errors.Contains("there are no masks for", StringComparison.Ordinal), errors);
        Assert.Equal(18, Json([.. command, "--output", At("third"), "--epochs", "1", "--on-missing-masks", "NoMasks"]).GetProperty("images").GetInt32());
    }

    [Fact]
    public void Fine_tuning_semi_supervised_training_and_going_on_with_a_run()
    {
        string run = At("mae");
        string[] command = ["pretrain", "mae", "--images", photos.Path, "--masks", "none", "--output", run, .. Tiny, "--decoder-embed-dim", "12", "--decoder-depth", "1"];
        Json([.. command, "--epochs", "1"]);
        var (code, _, errors) = Run([.. command, "--epochs", "1"]);
        Assert.True(code == 1 && errors.Contains("holds a run", StringComparison.Ordinal), errors);
        Assert.Equal(2, Json([.. command, "--epochs", "1", "--overwrite"]).GetProperty("steps").GetInt32());
        Assert.Equal(2, Json([.. command, "--epochs", "1", "--resume"]).GetProperty("steps").GetInt32());

        string encoder = Path.Combine(run, "encoder");
        var tuned = Json("finetune", encoder, "--images", photos.Path, "--output", At("tuned.zip"), "--preset", "mae", "--epochs", "1", "--batch-size", "8");
        Assert.Equal(15, tuned.GetProperty("trainedOn").GetInt32());
        string[] kept = ["finetune", encoder, "--images", photos.Path, "--output", At("kept.zip"), "--epochs", "2", "--batch-size", "8", "--run", At("tuning")];
        string report = Json(kept).GetProperty("report").GetString()!;
        (code, _, errors) = Run(kept);
        Assert.True(code == 1 && errors.Contains("holds a run already", StringComparison.Ordinal), errors);
        Assert.Equal(report, Json([.. kept, "--resume"]).GetProperty("report").GetString());
        (code, _, errors) = Run("finetune", encoder, "--images", photos.Path, "--output", At("kept.zip"), "--resume");
        Assert.True(code == 2 && errors.Contains("--resume needs --run", StringComparison.Ordinal), errors);
        Json("report", At("tuning"), "--output", At("tuning.html"));
        Assert.True(File.Exists(At("tuning.html")));
        var semi = Json("semi", encoder, "--images", photos.Path, "--extra", photos.Path, "--output", At("semi.zip"), "--epochs", "1", "--supervised-epochs", "1", "--batch-size", "4",
            "--run", At("both"));
        Assert.Contains("Semi-supervised", semi.GetProperty("report").GetString());
        Json("report", At("both"), "--output", At("both.html"));
        string page = File.ReadAllText(At("both.html"));
        Assert.True(page.IndexOf("Fine-tuning: curves", StringComparison.Ordinal) is > 0 and var first
            && page.IndexOf("Semi-supervised: curves", StringComparison.Ordinal) > first, "Both stages, in the order in which they ran.");
    }

    [Fact]
    public void A_dry_run_says_what_would_be_done_and_does_nothing()
    {
        var plan = Json("pretrain", "dino", "--images", photos.Path, "--output", At("none"), "--dry-run");
        Assert.Equal((18, 18, 400), (plan.GetProperty("images").GetInt32(), plan.GetProperty("batchSize").GetInt32(), plan.GetProperty("steps").GetInt32()));
        Assert.False(Directory.Exists(At("none")));
    }

    [Fact]
    public void Few_images_are_learned_from_by_a_small_encoder_unless_options_or_a_checkpoint_say_otherwise()
    {
        string[] dino = ["pretrain", "dino", "--images", photos.Path, "--output", At("none"), "--dry-run"];
        AssertChosen(dino, "18 images are few: an encoder 96 wide and 3 deep that sees 32 pixels (for finer detail --encoder-image-size 64), 400 epochs in batches of 64, 128 prototypes",
            "2 views of 0.7 of an image and more, bias of masks from 4.", "Views.LocalViews=0 ", " LearningRate=0.004 ");
        AssertChosen([.. dino, "--masks", "none", "--encoder-embed-dim", "48", "--batch-size", "256", "--views-local-views", "2"],
            "an encoder 48 wide and 3 deep", "in batches of 256, 128 prototypes", "and more, 2 local ones.", " LearningRate=0.001 ");
        AssertChosen([.. dino, "--encoder-embed-dim", "384"], "an encoder 384 wide", " LearningRate=0.0025 ");
        AssertChosen(["pretrain", "mae", .. dino[2..]], "Decoder.EmbedDim=96 ", "Decoder.NormalizePixels=true ", " LearningRate=0.002 ");

        Json(["pretrain", "dino", "--images", photos.Path, "--masks", "none", "--output", At("own"), "--epochs", "1", "--head-out-dim", "24", .. Tiny]);
        AssertChosen([.. dino, "--start-from", At("own/encoder")], "an encoder 24 wide and 1 deep", "Head.OutDim=24 ", "Views.GlobalMinScale=0.4 ", " LearningRate=0.0025 ");
        AssertChosen(["distill", At("own/encoder"), .. dino[2..]], "100 epochs in batches of 64, 2 views of 0.7 of an image and more.", " LearningRate=0.004 ");
        AssertChosen(["distill", At("own/encoder"), .. dino[2..], "--student-embed-dim", "12"], "an encoder 12 wide and 1 deep that sees 32 pixels");

        AssertChosen(["pretrain", "mae", "--images", photos.Path, "--masks", "segment", "--output", At("hidden"), "--epochs", "1", "--decoder-embed-dim", "12", "--decoder-depth", "1", .. Tiny],
            $"maskbias distill {At("hidden/encoder")} --images {photos.Path} --masks segment --output STUDENT");
        AssertChosen(["pretrain", "mae", .. dino[2..], "--start-from", At("hidden/encoder")], "Decoder.EmbedDim=12 ", "Decoder.Depth=1 ");
        AssertChosen(["distill", At("hidden/encoder"), .. dino[2..]], "Views.GlobalMinScale=0.2 ", " LearningRate=0.002 ");

        AssertChosen(["finetune", At("own/encoder"), "--images", photos.Path, "--output", At("small.zip"), "--epochs", "1"], "The recipe is small (--preset).", " LearningRate=0.004 ", "Mixup=0 ");
        string[] few = ["finetune", At("own/encoder"), "--images", photos.Path, "--output", At("few.zip"), "--trainable-blocks", "0", "--batch-size", "15"];
        AssertChosen(few, " Epochs=300 ");
        AssertChosen([.. few, "--epochs", "2"], " Epochs=2 ");
        AssertChosen(["finetune", At("own/encoder"), "--images", photos.Path, "--output", At("paper.zip"), "--epochs", "1", "--preset", "dino"], "The recipe is dino", "Mixup=0.8 ");

        static void AssertChosen(string[] command, params string[] expected)
        {
            var (code, _, notes) = Run(command);
            Assert.Equal(0, code);
            string line = string.Join(' ', notes.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));      // wherever a terminal would break it
            foreach (string text in expected) Assert.Contains(text.Trim(), line);
        }
    }

    [Fact]
    public void Doctor_finds_this_machine_fit_and_bench_measures_it()
    {
        Assert.Equal("ready", Json("doctor").GetProperty("verdict").GetString());
        var measured = Json("bench", "--size", "tiny", "--image-size", "32", "--batch", "4");
        Assert.True(measured.GetProperty("trainedImagesPerSecond,ForwardAndBackward").GetDouble() > 0);
    }

    [Fact]
    public void Help_takes_its_words_from_the_library_and_ends_with_examples()
    {
        var (code, help, _) = Run("pretrain", "dino", "--help");
        Assert.Equal(0, code);
        foreach (string text in new[] { "--head-out-dim <count>", "Number K of prototypes.", "--mask-bias-relation <Positive|Negative|Both>" }) Assert.Contains(text, help);
        Assert.Contains("maskbias probe run/encoder --images photos --output model.zip", Run("probe", "--help").Output);
        Assert.Contains("--images", Run("[suggest:16]", "maskbias knn --i").Output);
        Assert.Contains("complete -o default -F _maskbias maskbias", Run("completion", "bash").Output);
    }

    // An encoder that has learned nothing is enough to train classifiers on.
    private void EncoderOf(string run)
    {
        using var encoder = TinyEncoders.Plain();
        EncoderCheckpoint.Save(encoder, At($"{run}/encoder"));
    }

    private string At(string name) => Path.Combine(folder.Path, name);

    private static JsonElement Json(params string[] arguments)
    {
        var (code, output, errors) = Run([.. arguments, "--json"]);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {errors}");
        return JsonDocument.Parse(output).RootElement;
    }

    private static string[] Lines(params string[] arguments)
    {
        var (code, output, errors) = Run(arguments);
        Assert.True(code == 0, errors);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static (int Code, string Output, string Errors) Run(params string[] arguments) =>
        BuiltProgram.Run("src/Samples/Cli", "maskbias", arguments);

    public void Dispose()
    {
        photos.Dispose();
        folder.Dispose();
    }
}
