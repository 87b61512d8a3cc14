using System.Text.RegularExpressions;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Tests.Embeddings;
using MaskBias.MLNet.Tests.Pretraining;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training.Output;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;

namespace MaskBias.MLNet.Tests.Docs;

/// <summary>Every message that docs/troubleshooting.md quotes is made to happen here, and reads as it is quoted.</summary>
public sealed class TroubleshootingTests : IDisposable
{
    private const int OutDim = 4096;

    private readonly TempFolder folder = new();
    private readonly ShapePhotos photos = new(perClass: 1);
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void Every_message_is_quoted_as_it_is_printed()
    {
        if (torch.cuda_is_available()) Assert.Skip("there is a CUDA device, so that its absence cannot be shown");
        List<string> happened =
        [
            Diverged(), .. Collapsed(), Message(() => torch.empty(1L << 50)), Message(() => ComputeDevice.Cuda(0).Resolve()), NoLibtorch(),
            NoRoom(), NoRoomForImages(), Message(() => ml.SelfSupervised().Dino(new() { MaskColumnName = "Masks" }).Fit(Photos())),
            NoMaskFiles(), OtherSize(), Message(() => ml.Data.LoadImageFolder(folder.Path)), GuidedModel(), UsedFolder(), LeftOut(), NoMasks(),
            TeacherWithoutMasks(),
        ];
        string[] quoted =
            [.. DocumentedCode.Blocks("docs/troubleshooting.md").Where(b => b.Language == "text").Select(b => OnOneLine(b.Text))];
        Assert.True(quoted.Length >= 16);
        Assert.All(quoted, quote => Assert.True(happened.Any(message => Pattern(quote).IsMatch(OnOneLine(message))), $"""
            Nothing printed reads like
            {quote}
            What was printed:
            {string.Join("\n", happened)}
            """));
    }

    public void Dispose()
    {
        folder.Dispose();
        photos.Dispose();
    }

    private static Regex Pattern(string quote) =>
        new($"^{Regex.Escape(quote).Replace("…", ".*", StringComparison.Ordinal)}$", RegexOptions.Singleline);

    private static string OnOneLine(string text) => Regex.Replace(text, @"\s+", " ").Trim();

    private static string Message(Action happens) => Assert.ThrowsAny<Exception>(happens).Message;

    private static string Diverged() => new TrainingDivergedException("DINO", new(12, 1200), "loss", double.NaN, 0.005, [4, 19, 7], clipGradient: 3)
        .With("runs/dino/checkpoints/step-000001100", "runs/dino/replay/step-000001200").Message;

    private static IEnumerable<string> Collapsed()
    {
        var monitor = new CollapseMonitor(OutDim);
        for (int step = 0; step <= 100; step++) monitor.Observe(Math.Log(OutDim));
        using var onePrototype = torch.zeros(8, OutDim);
        onePrototype[.., 0] = 1;
        using var sameFeatures = torch.ones(8, 16);
        monitor.Observe(onePrototype, sameFeatures);
        return monitor.TakeWarnings();
    }

    // What the process without libtorch prints is TorchRuntimeTests' matter; here its words are looked for in the source.
    private static string NoLibtorch()
    {
        string source = DocumentedCode.Read("src/MaskBias.MLNet/Native/TorchRuntime.cs");
        int start = source.IndexOf("libtorch, which TorchSharp {", StringComparison.Ordinal);
        int end = source.IndexOf(" (the library itself", start, StringComparison.Ordinal);
        return Regex.Replace(source[start..end], "{[^}]*}", "…");
    }

    private string NoRoom()
    {
        string blocked = folder.Write("run/checkpoints", [1]);
        return Message(() => new CheckpointFolder(blocked, 1).Write(new(1, 1200), new([], [], [], [], []), _ => { }))
            .Replace("There is none before it.", "The last good one is x", StringComparison.Ordinal);
    }

    private string NoRoomForImages() =>
        Message(() => new PixelSpill(folder.Write("file", [1])).Add(new RgbImage(1, 1, new byte[3])));

    private string NoMaskFiles()
    {
        string masks = Directory.CreateDirectory(Path.Combine(folder.Path, "masks")).FullName;
        var rows = ml.SelfSupervised().LoadMasks("Masks", "ImagePath", masks, MaskFileFormat.Sa1b).Fit(Photos()).Transform(Photos());
        return Message(() => rows.GetColumn<VBuffer<byte>>("Masks").Count());
    }

    private string OtherSize()
    {
        var masks = MaskSet.Empty(3, 4).Encode();
        var rows = ml.Data.LoadFromEnumerable(photos.Rows.Select(r => new WithMasks { ImagePath = r.ImagePath, Masks = masks }));
        return Message(() => ml.SelfSupervised().Dino(TinyTraining.MaskedDino()).Fit(rows));
    }

    private string GuidedModel()
    {
        using var encoder = TinyTraining.Teacher(maskGuided: true);
        var model = ml.SelfSupervised().EmbedImages("Features", "ImagePath", encoder).Fit(Photos());
        return Message(() => ml.Model.Save(model, Photos().Schema, Path.Combine(folder.Path, "model.zip")));
    }

    private string UsedFolder()
    {
        var options = TinyTraining.Dino().With(o => o.Output = new() { Folder = Path.Combine(folder.Path, "used") });
        using (ml.SelfSupervised().Dino(options).Fit(Photos())) { }
        return Message(() => ml.SelfSupervised().Dino(options).Fit(Photos()));
    }

    private string LeftOut()
    {
        string broken = folder.Write("broken.png", [1, 2, 3]);
        var rows = ml.Data.LoadFromEnumerable(photos.Rows.Take(2).Append(new() { ImagePath = broken }));
        using var trained = ml.SelfSupervised().Dino(TinyTraining.Dino()).Fit(rows);
        return Assert.Single(trained.Report.Warnings);
    }

    private string NoMasks()
    {
        var rows = ml.Data.LoadFromEnumerable(photos.Rows.Select(r => new WithMasks { ImagePath = r.ImagePath }));
        using var trained = ml.SelfSupervised().Dino(TinyTraining.MaskedDino()).Fit(rows);
        return Assert.Single(trained.Report.Warnings);
    }

    private string TeacherWithoutMasks()
    {
        using var teacher = TinyTraining.Teacher(maskGuided: true);
        using var student = ml.SelfSupervised().Distill(teacher, TinyTraining.Distillation()).Fit(Photos());
        return Assert.Single(student.Report.Warnings);
    }

    private IDataView Photos() =>
        ml.Data.LoadFromEnumerable(photos.Rows.Select(r => new ImageFolderRow { ImagePath = r.ImagePath, Label = r.Label }));

    private sealed class WithMasks
    {
        public string ImagePath { get; set; } = "";

        public byte[] Masks { get; set; } = [];
    }
}
