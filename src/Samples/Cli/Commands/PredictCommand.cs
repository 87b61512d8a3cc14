using System.CommandLine;
using System.Globalization;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Common.Terminal;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias predict MODEL --images DIR --output FILE</c>: a row per image, its class and the probability of each.</summary>
internal static class PredictCommand
{
    private const int MostNamed = 5;                               // unreadable images

    public static Command Create()
    {
        var command = new ExampleCommand("predict", "Writes what a saved classifier says of each image of a folder, as CSV: its class and the probability of "
            + "every class. Where the images lie in folders of those classes, the accuracy too.", "predict model.zip --images photos --output predictions.csv");
        var model = new Argument<string>("model") { Description = "The ML.NET model, as probe, finetune, semi and experiment write it." };
        var images = new Option<string>("--images") { Description = "The images, at any depth.", Required = true, HelpName = "folder" };
        var output = new Option<string>("--output") { Description = "The file to write: .csv.", Required = true, HelpName = "file" };
        var orientation = OrientationOption.Create();
        var json = Session.JsonOption();
        command.Add(model);
        foreach (Option option in new Option[] { images, output, orientation, json }) command.Add(option);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            string path = parsed.GetValue(output)!, file = parsed.GetValue(model)!;
            if (!Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase))
                throw new UsageException($"--output is '{path}'; it must end in .csv.");
            if (!File.Exists(file)) throw new UsageException($"model is '{file}'; there is no such file.");
            string folder = parsed.GetValue(images)!;
            Predict(session, file, Images(session, folder), folder, path, parsed.GetValue(orientation));
        }));
        return command;
    }

    private static List<string> Images(Session session, string folder)
    {
        try
        {
            var images = PhotoSet.ImagesOf(folder);
            PhotoInput.NotePassedOver(session, folder);
            return images;
        }
        catch (IOException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static void Predict(Session session, string model, List<string> images, string folder, string path, bool upright)
    {
        using var classifier = new SavedClassifier(model, upright);
        string[] labels = [.. images.Select(image => PhotoSet.ClassOf(folder, image))];
        bool areLabelled = labels.All(classifier.Classes.Contains);
        var progress = new CountLines(session.Console, images.Count, TimeProvider.System);
        var unreadable = new List<string>();
        int done = 0, right = 0;
        WholeFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            writer.WriteLine(string.Join(',', new[] { "ImagePath", "PredictedLabel", "Probability" }.Concat(classifier.Classes.Select(CsvText.Quoted))));
            foreach (var (known, fault) in classifier.Classify(images, session.Token))
            {
                if (known is null) unreadable.Add(fault!);
                else
                {
                    if (known.Label == labels[done]) right++;
                    writer.WriteLine(Row(images[done], known));
                }
                progress.Report(++done);
            }
        });
        foreach (string fault in unreadable.Take(MostNamed)) session.Note(fault);
        if (unreadable.Count > MostNamed) session.Note($"and {unreadable.Count - MostNamed} more");
        int read = images.Count - unreadable.Count;
        session.Result(("output", path), ("images", read), ("unreadable", unreadable.Count), ("classes", classifier.Classes.Count),
            ("accuracy", areLabelled && read > 0 ? (double)right / read : null));
    }

    private static string Row(string image, ImageClass found) => string.Join(',',
        [CsvText.Quoted(image), CsvText.Quoted(found.Label), Number(found.Confidence), .. found.Probabilities.Select(p => Number(p.Value))]);

    private static string Number(float value) => value.ToString("r", CultureInfo.InvariantCulture);
}
