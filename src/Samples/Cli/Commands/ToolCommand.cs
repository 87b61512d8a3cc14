using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Output;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias</c> with all its commands.</summary>
internal static class ToolCommand
{
    public static RootCommand Create()
    {
        var root = new RootCommand(
            "Self-supervised vision transformers for ML.NET: pretrain on your own images, distil, classify, embed, export.")
        {
            PretrainCommand.Create(),
            DistillCommand.Create(),
            ClassifierCommands.Probe(),
            ClassifierCommands.FineTune(),
            ClassifierCommands.SemiSupervised(),
            ExperimentCommand.Create(),
            PredictCommand.Create(),
            KnnCommand.Create(),
            EmbedCommand.Create(),
            MasksCommand.Create(),
            ScenesCommand.Create(),
            DescribeCommand.Create(),
            ExportCommand.Create(),
            DoctorCommand.Create(),
            BenchCommand.Create(),
            CompletionCommand.Create(),
            ReportCommand.Create(),
            StudyCommand.Create(),
        };
        ExampleCommand.ShowIn(root);
        return root;
    }
}
