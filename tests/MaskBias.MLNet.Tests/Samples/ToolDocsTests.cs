using MaskBias.MLNet.Tests.Embeddings;

namespace MaskBias.MLNet.Tests.Samples;

/// <summary>Every command of docs/tool.md, in its order, on generated photos; trainings are cut short.</summary>
public sealed class ToolDocsTests : IDisposable
{
    private readonly ShapePhotos photos = new(perClass: 5);
    private readonly TempFolder folder = new();

    [Fact]
    public void Every_command_in_the_docs_runs()
    {
        folder.Write("dino.json", """{ "Head": { "OutDim": 1024 }, "TeacherTemperature": 0.05, "Views": { "LocalViews": 4 } }"""u8.ToArray());
        folder.Write("study.json", """
            { "Data": { "Train": "." }, "ImagesSeen": 24, "Seeds": [1], "Encoder": { "ImageSize": 32, "PatchSize": 8, "EmbedDim": 24, "Depth": 1, "Heads": 2 },
              "Dino": { "BatchSize": 8, "Head": { "OutDim": 32, "HiddenDim": 32 } }, "Measures": [ { "Kind": "NearestNeighbors" } ],
              "Cells": [ { "Name": "plain", "Method": "Dino" }, { "Name": "bias", "Method": "Dino", "Masks": "segment" } ] }
            """u8.ToArray());
        string[] commands = [.. File.ReadLines(Path.Combine(Fixtures.Root, "docs", "tool.md")).Where(l => l.StartsWith("maskbias ", StringComparison.Ordinal))];
        Assert.True(commands.Length >= 12);
        foreach (string command in commands)
        {
            string[] arguments = [.. InFolder(command.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]), .. Shorter(command)];
            var (code, _, errors) = BuiltProgram.Run("src/Samples/Cli", "maskbias", arguments);
            Assert.True(code == 0, $"{command}: {errors}");
        }
        foreach (string made in new[] { "found/model.zip", "found/leaderboard.svg", "model.zip", "tuned.zip", "semi.zip", "predictions.csv", "embeddings.parquet", "encoder.onnx", "study/study.md" }) Assert.True(File.Exists(Path.Combine(folder.Path, made)), made);
    }

    // Names of files and folders, which the commands' own words are not: a command comes first, "dino" second.
    private string[] InFolder(string[] words) => [.. words.Select((word, i) =>
        i == 0 || word.StartsWith('-') || word is "dino" or "Onnx" || word.Contains(',') || word.All(char.IsDigit) ? word : word is "photos" or "unlabelled" ? photos.Path : Path.Combine(folder.Path, word))];

    private static string[] Shorter(string command) => command.Split(' ')[1] switch
    {
        "pretrain" when command.Contains("--epochs", StringComparison.Ordinal) => ["--overwrite", "--dry-run"],
        "pretrain" => ["--epochs", "1", "--encoder-embed-dim", "24", "--encoder-depth", "1", "--encoder-heads", "2", "--batch-size", "8"],
        "distill" or "probe" or "finetune" => ["--epochs", "1", "--batch-size", "8"],
        "scenes" => ["--train", "2", "--test", "1"],
        "semi" => ["--epochs", "1", "--supervised-epochs", "1", "--batch-size", "4"],
        _ => [],
    };

    public void Dispose()
    {
        photos.Dispose();
        folder.Dispose();
    }
}
