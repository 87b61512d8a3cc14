using MaskBias.MLNet.Samples.Cli.Commands;
using MaskBias.MLNet.Samples.Cli.Study.Jobs;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Samples.Cli.Study.Results;
using MaskBias.MLNet.Samples.Scenes;

namespace MaskBias.MLNet.Tests.Samples.Study;

/// <summary>Small studies of generated scenes, done by the command in this process.</summary>
internal sealed class SceneStudy : IDisposable
{
    private readonly TempFolder folder = new();

    public SceneStudy()
    {
        ShapeScenes.Generate(Path.Combine(folder.Path, "data", "train"), new() { Size = 32, ImagesPerClass = 4 });
        ShapeScenes.Generate(Path.Combine(folder.Path, "data", "test"), new() { Size = 32, ImagesPerClass = 2, Seed = 2 });
    }

    /// <summary>Folder of the plan's folders.</summary>
    public string Data => Path.Combine(folder.Path, "data");

    /// <summary>A path in the temporary folder.</summary>
    public string At(string name) => Path.Combine(folder.Path, name);

    /// <summary>Writes a plan: a tiny encoder, 80 images seen, and what is given.</summary>
    /// <param name="cells">The objects of its cells.</param>
    /// <param name="more">Further fields, each with a comma before it.</param>
    /// <param name="seen">The budget.</param>
    public string Plan(string cells, string more = "", int seen = 80)
    {
        string masks = Directory.Exists(At("data/masks")) ? """, "Masks": { "files": "masks" }, "Objects": "files" """ : "";
        return folder.Write("plan.json", System.Text.Encoding.UTF8.GetBytes($$"""
            {
              "Data": { "Train": "train", "Test": "test"{{masks}} }, "Seeds": [1], "ImagesSeen": {{seen}},
              "Encoder": { "ImageSize": 32, "PatchSize": 8, "EmbedDim": 24, "Depth": 2, "Heads": 3 },
              "Dino": { "BatchSize": 8, "Head": { "OutDim": 32, "HiddenDim": 32, "BottleneckDim": 16 }, "Views": { "LocalViews": 1 } },
              "Distillation": { "BatchSize": 8, "Views": { "LocalViews": 1 } },
              "Measures": [ { "Kind": "NearestNeighbors" }, { "Kind": "LinearProbe", "Fractions": [1, 0.5], "Options": { "Epochs": 5 } } ],
              "Cells": [ {{cells}} ]{{more}}
            }
            """));
    }

    /// <summary>Writes other text in the place of some of a plan's.</summary>
    public static void Edit(string plan, string text, string other)
    {
        string old = File.ReadAllText(plan);
        Assert.Contains(text, old);
        File.WriteAllText(plan, old.Replace(text, other, StringComparison.Ordinal));
    }

    /// <summary>Runs the command on a plan, as a user does.</summary>
    public void Run(string plan, string output, params string[] options) => Invoke(Arguments(plan, output, options));

    /// <summary>What <see cref="Run"/> passes to the command.</summary>
    public string[] Arguments(string plan, string output, params string[] options) =>
        ["study", plan, "--data", Data, "--output", At(output), .. options];

    /// <summary>Runs a command line of the tool.</summary>
    public static void Invoke(params string[] arguments) =>
        ToolCommand.Create().Parse(arguments).Invoke(new() { EnableDefaultExceptionHandler = false });

    /// <summary>The results that a folder has.</summary>
    public StudyResults Results(string plan, string output) => StudyResults.Read(PlanReader.Read(plan), new(At(output)));

    /// <summary>All class numbers that test images were given, by cell and measure.</summary>
    public Dictionary<string, int[]> Predictions(string output) =>
        Directory.EnumerateFiles(At($"{output}/results/cells"), "*.json", SearchOption.AllDirectories)
        .Select(file => StudyJson.Read<MeasureResult>(file)!)
            .SelectMany(r => r.Predictions.Select(p => ($"{r.Cell} {r.Seed} {p.Key}", p.Value))).ToDictionary();

    /// <summary>What is known of the trainings.</summary>
    public List<RunResult> Runs(string output) => [.. StudyJson.ReadAll<RunResult>(At($"{output}/results/runs"))];

    /// <summary>Writes a label map for each image: the middle of the picture stands for the object.</summary>
    public void WriteObjectMasks()
    {
        foreach (string image in Directory.EnumerateFiles(Data, "*.png", SearchOption.AllDirectories).ToList())
        {
            WriteMask(Path.Combine(Data, "masks", Path.GetRelativePath(Data, image)), from: 8);
        }
    }

    /// <summary>Writes a label map whose object begins at so many pixels from the left and the top.</summary>
    public static void WriteMask(string path, int from)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var bitmap = new SkiaSharp.SKBitmap(32, 32, SkiaSharp.SKColorType.Gray8, SkiaSharp.SKAlphaType.Opaque);
        bitmap.Erase(SkiaSharp.SKColors.Black);
        for (int i = from; i < 24; i++)
        {
            for (int j = from; j < 24; j++) bitmap.SetPixel(i, j, SkiaSharp.SKColors.White);
        }
        using var png = bitmap.Encode(SkiaSharp.SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(path, png.ToArray());
    }

    public void Dispose() => folder.Dispose();
}
