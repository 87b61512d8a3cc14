using System.CommandLine;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli;
using MaskBias.MLNet.Samples.Cli.Commands;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Training;

const int Failed = 1, WrongUsage = 2, Interrupted = 130;

var root = new RootCommand("Self-supervised vision transformers for ML.NET: pretrain on your own images, distil, classify, embed, export.")
{
    PretrainCommand.Create(),
    DistillCommand.Create(),
    ClassifierCommands.Probe(),
    ClassifierCommands.FineTune(),
    ClassifierCommands.SemiSupervised(),
    ExperimentCommand.Create(),
    KnnCommand.Create(),
    EmbedCommand.Create(),
    MasksCommand.Create(),
    DescribeCommand.Create(),
    ExportCommand.Create(),
    DoctorCommand.Create(),
    BenchCommand.Create(),
    CompletionCommand.Create(),
    ReportCommand.Create(),
};
ExampleCommand.ShowIn(root);
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    // What was written and is not known says more than what is missing; the choices of an option come as lines.
    string fault = parsed.UnmatchedTokens.Count > 0
        ? $"'{parsed.UnmatchedTokens[0]}' is neither a command nor an option; --help lists them."
        : string.Join(" ", parsed.Errors[0].Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
    Console.Error.WriteLine(fault);
    return WrongUsage;
}
try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (UsageException e)
{
    Console.Error.WriteLine(e.Message);
    return WrongUsage;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped. A training run goes on where it was with --resume; other output is as it was before.");
    return Interrupted;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
    or InvalidOperationException or NotSupportedException or DllNotFoundException or TrainingDivergedException or RankFailedException or ImageReadException)
{
    string who = MpiWorld.LaunchedRank > 0 ? $"Rank {MpiWorld.LaunchedRank}: " : "";
    Console.Error.WriteLine(who + e.Message);
    return Failed;
}
