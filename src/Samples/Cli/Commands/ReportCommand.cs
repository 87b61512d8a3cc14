using System.CommandLine;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Output;
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
        var command = new ExampleCommand("report",
            "Writes a page that shows a training run: configuration, curves, and what its encoder sees in images.",
            "report run --images photos", "report artifacts/quickstart --images photos --output report.html --png figures");
        var run = new Argument<string>("run") { Description = "Folder of a training run (it holds run.json), or of the Quickstart's results." };
        var images = new Option<string?>("--images")
        {
            Description = "Images, in class folders or flat; without them the page shows the run alone.", HelpName = "folder",
        };
        var encoder = new Option<string?>("--encoder")
        {
            Description = "The encoder that looks at the images: a checkpoint. Else the one that the run has left.", HelpName = "checkpoint",
        };
        var output = new Option<string>("--output")
        {
            Description = "The page to write.", DefaultValueFactory = _ => "report.html", HelpName = "file",
        };
        var png = new Option<string?>("--png") { Description = "A folder to write the figures to as PNG files too.", HelpName = "folder" };
        var most = new Option<int>("--max-images")
        {
            Description = $"Images to look at, drawn from all: {FewestImages} to {MostImages}.", DefaultValueFactory = _ => 1000,
        };
        var seed = new Option<int>("--seed") { Description = "Draws the images and the labels.", DefaultValueFactory = _ => 1 };
        var json = Session.JsonOption();
        command.Add(run);
        foreach (Option option in new Option[] { images, encoder }) command.Add(option);
        var masks = new MaskInput(command, MaskInput.Segment, MissingMasks.NoMasks);
        foreach (Option option in new Option[] { output, png, most, seed, json }) command.Add(option);

        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            if (parsed.GetValue(most) is < FewestImages or > MostImages)
                throw new UsageException($"--max-images is {parsed.GetValue(most)}; it must lie in [{FewestImages}, {MostImages}].");
            string folder = parsed.GetValue(run)!, page = parsed.GetValue(output)!;
            var sections = RunReport.Build(new()
            {
                Run = folder, Images = parsed.GetValue(images), Encoder = parsed.GetValue(encoder), MaskSource = masks.Source(parsed),
                AddMasks = (ml, rows) => masks.Add(parsed, ml, rows), MaxImages = parsed.GetValue(most), Seed = parsed.GetValue(seed),
            }, new ReportProgress(session));
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
            WholeFile.Write(page, ReportPage.Write($"Training run {name}", sections));
            int? figures = parsed.GetValue(png) is { } pictures ? FigureFiles.Write(pictures, sections) : null;
            string[] absent = [.. sections.Where(section => section.Absent is not null).Select(section => section.Title)];
            session.Result(
                ("page", page), ("sections", sections.Count - absent.Length), ("left out", absent.Length > 0 ? absent : null), ("figures", figures));
        }));
        return command;
    }
}
