using System.CommandLine;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli;
using MaskBias.MLNet.Samples.Cli.Commands;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Training;

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
    Console.Error.WriteLine("Stopped. A training run goes on where it was with --resume; other output is as it was before.");
    return Interrupted;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
    or InvalidOperationException or NotSupportedException or DllNotFoundException or TrainingDivergedException or RankFailedException or ImageReadException)
{
    // A cached data view only says that something went wrong in it, and keeps what.
    Exception cause = e;
    while (cause.InnerException is { } inner && cause.Source?.StartsWith("Microsoft.ML", StringComparison.Ordinal) == true) cause = inner;
    string who = MpiWorld.LaunchedRank > 0 ? $"Rank {MpiWorld.LaunchedRank}: " : "";
    Console.Error.WriteLine(who + cause.Message);
    return Failed;
}
