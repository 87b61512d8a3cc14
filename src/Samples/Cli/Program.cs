using System.CommandLine;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Samples.Cli;
using MaskBias.MLNet.Samples.Cli.Commands;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Terminal;

const int Failed = 1, WrongUsage = 2, Interrupted = 130;

var parsed = ToolCommand.Create().Parse(args);
if (CommandLineFault.Describe(parsed) is { } fault)
{
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
    bool canResume = parsed.CommandResult.Command.Options.Any(o => o.Name == ExistingRunInput.Resume);
    Console.Error.WriteLine("Stopped. " + (canResume ? "A run folder's training goes on where it was with --resume; other output is as it was before."
        : "Output is as it was before."));
    return Interrupted;
}
catch (Exception e) when (ExpectedFault.Describe(e) is { } text)
{
    string who = MpiWorld.LaunchedRank > 0 ? $"Rank {MpiWorld.LaunchedRank}: " : "";
    Console.Error.WriteLine(who + text);
    return Failed;
}
