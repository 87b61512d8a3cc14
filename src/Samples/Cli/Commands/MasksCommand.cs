using System.CommandLine;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Samples.Common.Terminal;
using MaskBias.MLNet.Samples.Pictures;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias masks --images DIR --output DIR</c>: finds masks and keeps them as SA-1B files, one per image.</summary>
internal static class MasksCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand("masks", "Finds the masks of a folder's images and writes them as Segment Anything's JSON, one file per image; those that are there already stay.",
            "masks --images photos --output masks --pictures pictures",
            "pretrain dino --images photos --masks masks --output run");
        var photos = new PhotoInput(command, needsLabels: false);
        var masks = new MaskInput(command, byDefault: "segment");
        var output = new Option<string>("--output") { Description = "The folder to write.", Required = true, HelpName = "folder" };
        var pictures = new Option<string?>("--pictures") { Description = "A folder for pictures of the images with their masks; those that are there already stay.", HelpName = "folder" };
        var json = Session.JsonOption();
        foreach (Option option in new Option[] { output, pictures, json }) command.Add(option);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            string root = Path.GetFullPath(parsed.GetValue(output)!);
            var ml = session.Context(seed: 1);
            var found = photos.Load(session, parsed, seed: 1);
            string folder = Path.GetFullPath(parsed.GetValue<string>("--images")!);
            var all = found.Train.Concat(found.Test).OrderBy(p => p.ImagePath, StringComparer.Ordinal).ToList();
            foreach (var same in all.GroupBy(p => Target(root, p.ImagePath, ".json")).Where(g => g.Count() > 1))
                throw new UsageException($"--images has {string.Join(" and ", same.Select(p => p.ImagePath))}: both would have their masks in {same.Key}. Rename one.");
            var todo = all.Where(p => !File.Exists(Target(root, p.ImagePath, ".json"))).ToList();
            int written = 0, count = 0, unreadable = 0;
            var progress = new CountLines(session.Console, todo.Count, TimeProvider.System);
            if (todo.Count > 0)
            {
                var (rows, column) = masks.Add(parsed, ml, ml.Data.LoadFromEnumerable(todo));
                if (column is null) throw new UsageException("--masks is 'none'; it must name a source of masks.");
                foreach (var photo in ml.Data.CreateEnumerable<MaskedPhoto>(rows, reuseRowObject: false))
                {
                    session.Token.ThrowIfCancellationRequested();
                    progress.Report(written + unreadable + 1);
                    if (photo.Masks.Length == 0)
                    {
                        unreadable++;
                        continue;
                    }
                    var set = MaskSet.Decode(photo.Masks);
                    count += set.Count;
                    Sa1bFile.From(set, Path.GetFileName(photo.ImagePath)).Write(InFolder(Target(root, photo.ImagePath, ".json")));
                    written++;
                }
            }
            if (parsed.GetValue(pictures) is { } drawn) Draw(drawn);
            session.Result(
                ("output", root), ("images", all.Count), ("written", written), ("already there", all.Count - todo.Count), ("unreadable", unreadable),
                ("masks per image", written > 0 ? Math.Round((double)count / written, 1) : null));

            // Of all that have masks, also those found before.
            void Draw(string top)
            {
                foreach (string image in all.Select(p => p.ImagePath))
                {
                    session.Token.ThrowIfCancellationRequested();
                    string file = Target(root, image, ".json"), picture = Target(top, image, ".png");
                    if (!File.Exists(file) || File.Exists(picture)) continue;
                    try
                    {
                        var pixels = ImageDecoder.Decode(File.ReadAllBytes(image), image);
                        WholeFile.Write(InFolder(picture), MaskPictures.OverlayPng(pixels, Sa1bFile.Read(file).ToMaskSet()));
                    }
                    catch (Exception e) when (e is ImageReadException or InvalidDataException or ArgumentException)
                    {
                        session.Note($"No picture: {e.Message}");
                    }
                }
            }

            string Target(string top, string image, string extension) =>
                Path.Combine(top, Path.ChangeExtension(Path.GetRelativePath(folder, Path.GetFullPath(image)), extension));
        }));
        return command;
    }

    private static string InFolder(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }
}
