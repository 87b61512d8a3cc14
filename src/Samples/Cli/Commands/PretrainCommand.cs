using System.CommandLine;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using TorchSharp;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias pretrain dino|mae --images DIR --output DIR</c>: learns an encoder from images without labels.</summary>
internal static class PretrainCommand
{
    public static Command Create() =>
        new ExampleCommand("pretrain", "Pretrains a vision transformer on images without labels, guided by masks.",
            "pretrain dino --images photos --output run",
            "pretrain mae --images photos --masks none --epochs 200 --output run",
            "pretrain dino --images photos --output run --resume")
    {
        Method<DinoOptions>("dino", "DINO: a student learns what a moving average of itself sees in other views.",
            (ml, options, rows) => ml.SelfSupervised().Dino(options).Fit(rows), o => o.Encoder, (sized, start) => sized.Dino(start)),
        Method<MaeOptions>("mae", "MAE: a masked autoencoder.",
            (ml, options, rows) => ml.SelfSupervised().Mae(options).Fit(rows), o => o.Encoder, (sized, start) => sized.Mae(start)),
    };

    private static Command Method<TOptions>(
        string name, string description, Func<MLContext, TOptions, IDataView, PretrainedTransformer> fit,
        Func<TOptions, VitOptions> encoderOf, Func<SizedDefaults, VisionEncoder?, TOptions> defaults)
        where TOptions : PretrainingOptions, new()
    {
        var command = new Command(name, description);
        var photos = new PhotoInput(command, needsLabels: false, takesExtra: true);
        var masks = new MaskInput(command, byDefault: "segment");
        var run = new RunFolderInput(command);
        var start = new Option<string?>("--start-from")
        {
            Description = "A checkpoint to go on from, such as a public one.", HelpName = "checkpoint",
        };
        command.Add(start);
        // The encoder's own bias and drop path are replaced by the method's.
        string[] replaced = typeof(TOptions) == typeof(MaeOptions) ? ["Encoder.Positions", "Encoder.Pooling"] : [];
        var tree = new OptionTree<TOptions>(command, [.. RunFolderInput.Owned, "Encoder.MaskBias", "Encoder.DropPath", .. replaced]);
        var json = Session.JsonOption();
        command.Add(json);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            var found = photos.Load(session, parsed, seed: 1);
            int images = found.Train.Count + found.Test.Count + found.Extra.Count;
            Native.TorchRuntime.EnsureLoaded();
            using var started = parsed.GetValue(start) is { } path ? EncoderCheckpoint.Load(path) : null;
            var sized = new SizedDefaults(images, torch.cuda_is_available());
            var options = defaults(sized, started);
            options.Distributed = Session.Distributed;
            tree.Apply(parsed, options);
            if (!tree.IsGiven(parsed, nameof(options.Precision))) options.Precision = SizedDefaults.Precision(options.Device);
            var encoder = encoderOf(options);
            if (started is null && !tree.IsGiven(parsed, nameof(options.LearningRate))) sized.SetRate(options, encoder);
            var ml = session.Context(options.Seed);
            var (rows, column) = masks.Add(parsed, ml, PhotoInput.Everything(ml, found));
            options.MaskColumnName = column;
            if (found.HasLabels) options.NearestNeighborMonitor ??= new() { EveryEpochs = Math.Max(1, options.Epochs / 10) };
            run.Apply(parsed, options, session);
            _ = UsageException.Checked(() => OptionsAreValid(ml, options));
            session.Resolved(tree.Values(options), sized.Describe(options, encoder));
            if (run.IsDry(parsed))
            {
                RunFolderInput.WriteDryRun(session, options, images, encoder);
                return;
            }
            session.Train(progress =>
            {
                options.Progress = progress;
                using var model = fit(ml, options, rows);
                run.Finish(parsed, session, model);
                if (column is null || !Session.IsRoot) return;
                session.Note($"""
                    It is guided by masks. Before it is used without them, distil it:
                    maskbias distill {run.EncoderOf(parsed)}{photos.Given(parsed)}{masks.Given(parsed)} --output STUDENT
                    """);
            });
        }));
        return command;

        static object OptionsAreValid(MLContext ml, TOptions options) =>
            options is DinoOptions dino ? ml.SelfSupervised().Dino(dino) : ml.SelfSupervised().Mae((MaeOptions)(PretrainingOptions)options);
    }
}
