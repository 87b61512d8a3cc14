using MaskBias.MLNet.Samples.Quickstart;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Common.Terminal;
using MaskBias.MLNet.Samples.Scenes;
using Microsoft.ML;
using Microsoft.ML.Runtime;
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
    Console.Error.WriteLine("Stopped. Files that earlier stages wrote are complete; the same command with --resume goes on.");
    return Interrupted;
}
catch (Exception e) when (ExpectedFault.Describe(e) is { } text)
{
    Console.Error.WriteLine(text);
    return Failed;
}

static void Run(QuickstartArguments arguments, IAnsiConsole console, CancellationToken cancel)
{
    var clock = new StageClock(console, cancel);
    PhotoSet photos = null!;
    clock.Run("images", arguments.Images is { } folder ? $"Reading the images of {folder}" : "Generating scenes of ten shapes",
        () => photos = LoadPhotos(arguments, cancel));
    Note($"{photos.Train.Count} images to train on, {photos.Test.Count} held out, "
        + (photos.Extra.Count > 0 ? $"{photos.Extra.Count} more to pretrain on, " : "")
        + (photos.HasLabels ? $"{photos.Classes.Count} classes" : "no labels: accuracies are skipped"));
    if (photos.TrainingOnly.Count > 0)
        Note($"classes of one image, which trains and is not held out: {string.Join(", ", photos.TrainingOnly)}");
    var recipe = ChooseRecipe(arguments, photos);
    Note(recipe.ToString());

    using var job = new Job(
        NewContext(arguments.Seed, Note), photos, recipe, arguments.Seed, Path.Combine(arguments.Output, "runs"), arguments.Resume, cancel);
    int images = photos.Train.Count + photos.Extra.Count + photos.Test.Count;
    clock.Run("masks", "Segmenting the images", () => job.Segment(new CountLines(console, images, TimeProvider.System)));
    Note(FormattableString.Invariant($"{job.MasksPerImage:0.0} masks per image"));
    if (images - job.ReadableImages is > 0 and int unreadable)
        Note($"{unreadable} of {images} images cannot be read and are left out");
    clock.Run("pretraining", $"Phase 1: {recipe.MethodName} {(recipe.UsesMasks ? "guided by the masks" : "without masks")}",
        () => LiveProgress.Run(console, job.Pretrain));
    clock.Run("distillation", "Phase 2: distilling into an encoder that needs no masks",
        () => LiveProgress.Run(console, job.Distill));
    if (job.TestImages > 0) clock.Run("evaluation", "Measuring the encoders on the held-out images", job.Evaluate);
    IReadOnlyList<(string Path, string Content)> files = [];
    clock.Run("saving", "Saving", () => files = job.Save(arguments.Output));

    ResultTable.Write(console, new QuickstartReport
    {
        TrainImages = job.TrainImages,
        TestImages = job.TestImages,
        Classes = photos.Classes.Count,
        Scores = job.Scores,
        Alpha = job.Alpha,
        Stages = clock.Stages,
        PeakMemory = System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64,
        Files = files,
    });

    void Note(string text) => console.WriteLine($"  {text}");
}

static PhotoSet LoadPhotos(QuickstartArguments arguments, CancellationToken cancel)
{
    const int ScenesPerClass = 200, ShortPerClass = 20;
    if (arguments.Images is { } folder)
    {
        var photos = PhotoSet.Load(folder, arguments.Seed, arguments.Short ? ShortPerClass : int.MaxValue);
        if (arguments.Test is { } test) photos = photos.WithTest(test);
        return arguments.Extra is { } extra ? photos.WithExtra(extra) : photos;
    }
    string scenes = Path.Combine(arguments.Output, "scenes");
    var options = new ShapeSceneOptions
    {
        Seed = arguments.Seed, ImagesPerClass = arguments.Short ? ShortPerClass : ScenesPerClass,
        SmallestObject = 0.55, LargestObject = 0.65, MaximumShift = 0.1, Clutter = 0.5,     // minutes of training suffice for these
    };
    ShapeScenes.Generate(scenes, options, cancel);
    return PhotoSet.Load(scenes, arguments.Seed);
}

static Recipe ChooseRecipe(QuickstartArguments arguments, PhotoSet photos)
{
    var recipe = arguments.Images is null
        ? Recipe.ForScenes(arguments.Method, arguments.Short)
        : Recipe.ForPhotos(arguments.Method, photos.Train.Count + photos.Extra.Count, arguments.Short);
    return recipe with
    {
        UsesMasks = !arguments.NoMasks,
        Epochs = arguments.Epochs ?? recipe.Epochs,
        DistillEpochs = arguments.DistillEpochs ?? recipe.DistillEpochs,
    };
}

// Of all that ML.NET logs, the warnings of the two trainings, such as files that cannot be read.
static MLContext NewContext(int seed, Action<string> warn)
{
    var ml = new MLContext(seed);
    ml.Log += (_, entry) =>
    {
        bool isTraining = entry.Source.StartsWith("DINO") || entry.Source.StartsWith("MAE") || entry.Source.StartsWith("Distillation");
        if (isTraining && entry.Kind == ChannelMessageKind.Warning) warn(entry.RawMessage);
    };
    return ml;
}
