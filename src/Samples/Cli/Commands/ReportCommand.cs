using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Report;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias report RUN</c>: one page that shows a training run.</summary>
internal static class ReportCommand
{
    private const int FewestImages = 10, MostImages = 2000;

    public static Command Create()
    {
        var command = new Command("report", "Writes a page that shows a training run: configuration, curves, and what its encoder sees in images.\n"
            + "Examples:\n  maskbias report runs/dino\n  maskbias report artifacts/quickstart --images photos --output report.html --png figures");
        var run = new Argument<string>("run") { Description = "Folder of a training run (run.json), or of the Quickstart's results." };
        var images = new Option<string?>("--images") { Description = "Folder of images, in class folders or flat; without it the page shows the run alone." };
        var encoder = new Option<string?>("--encoder") { Description = "The encoder that looks at the images: a checkpoint. Otherwise the one that the run has left." };
        var masks = new Option<string?>("--masks") { Description = "A file or folder of masks; otherwise those of the built-in segmenter." };
        var output = new Option<string>("--output") { Description = "The page to write.", DefaultValueFactory = _ => "report.html" };
        var png = new Option<string?>("--png") { Description = "A folder to write the figures to as PNG files too." };
        var most = new Option<int>("--max-images")
        {
            Description = $"Images to look at, drawn from all: {FewestImages} to {MostImages}.", DefaultValueFactory = _ => 1000,
        };
        var seed = new Option<int>("--seed") { Description = "Draws the images and the labels.", DefaultValueFactory = _ => 1 };
        most.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.GetValueOrDefault<int>() is >= FewestImages and <= MostImages) return;
            result.AddError($"--max-images is {result.GetValueOrDefault<int>()}; it must lie in [{FewestImages}, {MostImages}].");
        });
        command.Add(run);
        foreach (Option option in new Option[] { images, encoder, masks, output, png, most, seed }) command.Add(option);

        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(run)!, page = parsed.GetValue(output)!;
            var sections = RunReport.Build(new()
            {
                Run = folder, Images = parsed.GetValue(images), Encoder = parsed.GetValue(encoder), Masks = parsed.GetValue(masks),
                MaxImages = parsed.GetValue(most), Seed = parsed.GetValue(seed),
            }, new ProgressLines(Console.Error));
            PictureFile.Write(page, ReportPage.Write($"Training run {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))}", sections));
            if (parsed.GetValue(png) is { } figures) FigureFiles.Write(figures, sections);
            Console.WriteLine(page);
            return 0;
        });
        return command;
    }
}
