using System.CommandLine;
using System.Globalization;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.Export;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>The folder of a run without labels: its checkpoints and metrics, and at its end the encoder.</summary>
internal sealed class RunFolderInput
{
    /// <summary>Options of the library that the commands set by themselves.</summary>
    public static readonly string[] Owned = ["ImageColumnName", "MaskColumnName", "Output.Folder", "Output.WhenUsed", "NearestNeighborMonitor.LabelColumnName"];

    private readonly Option<string> output = new("--output") { Description = "Folder for checkpoints, metrics and the encoder.", Required = true, HelpName = "folder" };
    private readonly ExistingRunInput existing;
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Says what would be done, and does nothing." };

    public RunFolderInput(Command command)
    {
        command.Add(output);
        existing = new(command);
        command.Add(dryRun);
    }

    public bool IsDry(ParseResult parsed) => parsed.GetValue(dryRun);

    /// <summary>Sets the folder, and how to stop.</summary>
    public void Apply(ParseResult parsed, PretrainingOptions options, Session session)
    {
        existing.Apply(parsed, parsed.GetValue(output), options.Output);
        options.CancellationToken = session.Token;
    }

    /// <summary>The encoder's folder, as another command takes it.</summary>
    public string EncoderOf(ParseResult parsed) => GivenOptions.Quoted(Path.Combine(parsed.GetValue(output)!, "encoder"));

    /// <summary>Writes the encoder and tells how it went.</summary>
    public void Finish(ParseResult parsed, Session session, PretrainedTransformer model)
    {
        if (!Session.IsRoot) return;
        string encoder = Path.Combine(parsed.GetValue(output)!, "encoder");
        EncoderCheckpoint.Save(model.Encoder, encoder);
        var report = model.Report;
        session.Result(
            ("encoder", encoder), ("images", report.Images), ("skipped rows", report.SkippedRows), ("steps", report.Losses.Count),
            ("last loss", report.Losses.Count > 0 ? report.Losses[^1] : null), ("seconds", Math.Round(report.Elapsed.TotalSeconds, 1)),
            ("k-NN accuracy", report.NearestNeighborAccuracies.Count > 0 ? report.NearestNeighborAccuracies.MaxBy(a => a.Key).Value : null),
            ("learning rate", report.LearningRate), ("device", report.Device),
            ("adjustments", report.Adjustments.Count > 0 ? report.Adjustments : null), ("warnings", report.Warnings.Count > 0 ? report.Warnings : null));
    }

    /// <summary>What a run would come to.</summary>
    public static void WriteDryRun(Session session, PretrainingOptions options, int images, VitOptions encoder)
    {
        int batch = Math.Min(options.BatchSize, images), steps = images / batch;
        long tokens = (long)(encoder.ImageSize / encoder.PatchSize) * (encoder.ImageSize / encoder.PatchSize) + 1;
        long parameters = 12L * encoder.EmbedDim * encoder.EmbedDim * encoder.Depth;
        session.Result(
            ("images", images), ("batch size", batch), ("steps per epoch", steps), ("steps", (long)steps * options.Epochs), ("tokens per image", tokens),
            ("parameters", parameters), ("learning rate", options.LearningRate * batch / 256),
            ("training operations", ((double)6 * parameters * tokens * images * options.Epochs).ToString("0.0e0", CultureInfo.InvariantCulture)));
    }
}
