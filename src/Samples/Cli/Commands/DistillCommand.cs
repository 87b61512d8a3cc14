using System.CommandLine;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Samples.Cli.Output;
using TorchSharp;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary>
/// <c>maskbias distill CHECKPOINT --images DIR --output DIR</c>: an encoder that needs no masks, from one that is guided by them.
/// </summary>
internal static class DistillCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand("distill", "Distils an encoder into a plain one that takes no masks.",
            "distill run/encoder --images photos --output student");
        var teacher = new CheckpointInput(command);
        var photos = new PhotoInput(command, needsLabels: false, takesExtra: true);
        var masks = new MaskInput(command, byDefault: "segment");
        var run = new RunFolderInput(command);
        var tree = new OptionTree<DistillationOptions>(command, [.. RunFolderInput.Owned, "Student.MaskBias"]);
        var json = Session.JsonOption();
        command.Add(json);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            using var encoder = teacher.Load(parsed);
            var found = photos.Load(session, parsed, seed: 1);
            int images = found.Train.Count + found.Test.Count + found.Extra.Count;
            var sized = new SizedDefaults(images, hasCuda: encoder.Device.type == DeviceType.CUDA);
            var options = sized.Distillation(encoder);
            options.Distributed = Session.Distributed;
            if (tree.IsGiven(parsed, nameof(options.Student))) options.Student = encoder.Model.Options;      // what is not given is the teacher's
            tree.Apply(parsed, options);
            var student = options.Student ?? encoder.Model.Options;
            if (!tree.IsGiven(parsed, nameof(options.LearningRate))) sized.SetRate(options, student, encoder);
            if (!tree.IsGiven(parsed, nameof(options.Precision))) options.Precision = SizedDefaults.Precision(options.Device);
            var ml = session.Context(options.Seed);
            if (!encoder.Model.IsMaskGuided) masks.Refuse(parsed, "the teacher is a plain encoder, which sees no masks.");
            var all = PhotoInput.Everything(ml, found);
            var (rows, column) = encoder.Model.IsMaskGuided ? masks.Add(parsed, ml, all) : (all, null);
            options.MaskColumnName = column;
            if (found.HasLabels) options.NearestNeighborMonitor ??= new() { EveryEpochs = Math.Max(1, options.Epochs / 10) };
            run.Apply(parsed, options, session);
            _ = UsageException.Checked(() => ml.SelfSupervised().Distill(encoder, options));
            session.Resolved(tree.Values(options), sized.Describe(options, student));
            if (run.IsDry(parsed))
            {
                RunFolderInput.WriteDryRun(session, options, images, student);
                return;
            }
            session.Train(progress =>
            {
                options.Progress = progress;
                using var model = ml.SelfSupervised().Distill(encoder, options).Fit(rows);
                run.Finish(parsed, session, model);
            });
        }));
        return command;
    }
}
