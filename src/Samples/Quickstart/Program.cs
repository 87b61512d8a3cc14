using MaskBias.MLNet.Samples.Quickstart;
using MaskBias.MLNet.Samples.Quickstart.Photos;
using MaskBias.MLNet.Samples.Quickstart.Terminal;
using MaskBias.MLNet.Samples.Scenes;
using Spectre.Console;

const int Failed = 1, WrongUsage = 2, Interrupted = 130;

QuickstartArguments arguments;
try
{
    arguments = QuickstartArguments.Parse(args);
}
catch (UsageException e)
{
    Console.Error.WriteLine($"{e.Message}\n\n{QuickstartArguments.Usage}");
    return WrongUsage;
}
if (arguments.Help)
{
    Console.WriteLine(QuickstartArguments.Usage);
    return 0;
}

var console = AnsiConsole.Console;
if (Console.IsOutputRedirected) console.Profile.Width = 160;           // a log file has no width of its own
using var cancellation = new ConsoleCancellation(console);
try
{
    Run(arguments, console, cancellation.Token);
    return 0;
}
catch (OperationCanceledException) when (cancellation.Token.IsCancellationRequested)
{
    Console.Error.WriteLine("Stopped. Files that earlier stages wrote are complete.");
    return Interrupted;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException
    or DllNotFoundException)
{
    Console.Error.WriteLine(e.Message);
    return Failed;
}

static void Run(QuickstartArguments arguments, IAnsiConsole console, CancellationToken cancel)
{
    var clock = new StageClock(console, cancel);
    var losses = new LossHistory();
    PhotoSet photos = null!;
    clock.Run("images", arguments.Images is { } folder ? $"Reading the images of {folder}" : "Generating scenes of ten shapes",
        () => photos = PhotoSet.Load(arguments.Images ?? GenerateScenes(arguments, cancel), arguments.Seed));
    console.WriteLine($"  {photos.Train.Count} images to train on, {photos.Test.Count} held out, "
        + (photos.HasLabels ? $"{photos.Classes.Count} classes" : "no labels: accuracies are skipped"));

    using var job = new Job(arguments, photos, cancel);
    clock.Run("masks", "Segmenting the images", job.Segment);
    clock.Run("pretraining", "Phase 1: DINO guided by the masks",
        () => LiveProgress.Run(console, bars => job.Pretrain(losses.Before(bars))));
    clock.Run("distillation", "Phase 2: distilling into an encoder that needs no masks",
        () => LiveProgress.Run(console, bars => job.Distill(losses.Before(bars))));
    if (photos.HasLabels) clock.Run("evaluation", "Measuring the encoders on the held-out images", job.Evaluate);
    clock.Run("saving", "Saving", () => job.Save(losses));

    ResultTable.Write(console, new QuickstartReport
    {
        TrainImages = photos.Train.Count,
        TestImages = photos.Test.Count,
        Classes = photos.Classes.Count,
        Scores = job.Scores,
        Alpha = job.Alpha,
        Stages = clock.Stages,
        PeakMemory = System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64,
        Files = job.Files,
    });
}

static string GenerateScenes(QuickstartArguments arguments, CancellationToken cancel)
{
    string folder = Path.Combine(arguments.Output, "scenes");
    ShapeScenes.Generate(folder, new ShapeSceneOptions { Seed = arguments.Seed, ImagesPerClass = arguments.Short ? 20 : 200 }, cancel);
    return folder;
}
