using System.CommandLine;
using System.Globalization;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Terminal;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using Microsoft.ML.Data;
using Parquet.Serialization;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias embed CHECKPOINT --images DIR --output FILE</c>: a row per image, as Parquet or CSV.</summary>
internal static class EmbedCommand
{
    private const int RowGroup = 20_000;

    public static Command Create()
    {
        var command = new ExampleCommand("embed", "Writes the embeddings of a folder's images, as Parquet or, with a name that ends in .csv, as CSV. "
            + "Started by mpirun or srun, each process writes a part of the images into a folder of that name, and leaves out what is there already.",
            "embed run/encoder --images photos --output embeddings.parquet");
        var checkpoint = new CheckpointInput(command, computes: true);
        var photos = new PhotoInput(command, needsLabels: false);
        var output = new Option<string>("--output") { Description = "The file to write: .parquet or .csv.", Required = true, HelpName = "file" };
        var orientation = OrientationOption.Create();
        var json = Session.JsonOption();
        command.Add(output);
        command.Add(orientation);
        command.Add(json);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            string path = parsed.GetValue(output)!;
            bool asCsv = Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase);
            if (!asCsv && !Path.GetExtension(path).Equals(".parquet", StringComparison.OrdinalIgnoreCase))
                throw new UsageException($"--output is '{path}'; it must end in .parquet or .csv.");
            var ml = session.Context(seed: 1);
            var found = photos.Load(session, parsed, seed: 1);
            var all = found.Train.Concat(found.Test).OrderBy(p => p.ImagePath, StringComparer.Ordinal).ToList();
            var part = EmbeddedPart.Of(path, all.Select(p => p.ImagePath), checkpoint.Path(parsed), checkpoint.Options(parsed), parsed.GetValue(orientation),
                MpiWorld.LaunchedRank, MpiWorld.LaunchedSize);
            if (part is not null)
            {
                if (asCsv) throw new UsageException($"--output is '{path}'; {MpiWorld.LaunchedSize} processes write Parquet parts: it must end in .parquet.");
                all = all[part.Images];
                path = part.Path;
                if (part.IsDone)
                {
                    session.Result(("output", path), ("images", 0), ("left out", "it is there already"));
                    return;
                }
            }
            using var encoder = checkpoint.Load(parsed);
            var rows = ml.Data.LoadFromEnumerable(all);
            var embedded = ml.SelfSupervised().EmbedImages(encoder, new ImageEmbeddingOptions
            {
                InputColumnName = "ImagePath", OutputColumnName = "Features", OnUnreadableImage = UnreadableImage.MissingValue,
                ApplyOrientation = parsed.GetValue(orientation),
            }).Fit(rows).Transform(rows);
            int unreadable = 0;
            var progress = new CountLines(session.Console, all.Count, TimeProvider.System);
            part?.Start();
            WholeFile.Write(path, stream =>
            {
                if (asCsv) WriteCsv(stream, Rows());
                else WriteParquet(stream, Rows());
            });
            part?.Finish();
            session.Result(("output", path), ("images", all.Count - unreadable), ("unreadable", unreadable), ("dimensions", encoder.FeatureDim));

            IEnumerable<EmbeddedImage> Rows()
            {
                int done = 0;
                foreach (var row in ml.Data.CreateEnumerable<EmbeddedImage>(embedded, reuseRowObject: false, ignoreMissingColumns: true))
                {
                    session.Token.ThrowIfCancellationRequested();
                    progress.Report(++done);
                    if (row.Features.Any(float.IsNaN)) unreadable++;
                    else yield return row;
                }
            }
        }));
        return command;
    }

    private static void WriteCsv(Stream stream, IEnumerable<EmbeddedImage> rows)
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        foreach (var row in rows)
            writer.WriteLine($"{CsvText.Quoted(row.ImagePath)},{CsvText.Quoted(row.Label)},{string.Join(',', row.Features.Select(v => v.ToString("r", CultureInfo.InvariantCulture)))}");
    }

    // Group by group: memory holds one of them.
    private static void WriteParquet(Stream stream, IEnumerable<EmbeddedImage> rows)
    {
        bool append = false;
        foreach (var group in rows.Chunk(RowGroup).DefaultIfEmpty([]))
        {
            ParquetSerializer.SerializeAsync(group, stream, new() { Append = append }).GetAwaiter().GetResult();
            append = true;
        }
    }

    private sealed class EmbeddedImage
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";

        public float[] Features { get; set; } = [];
    }
}
