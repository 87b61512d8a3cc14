using System.CommandLine;
using MaskBias.MLNet.Samples.Cli.Commands;

const int Failed = 1, WrongUsage = 2;

var root = new RootCommand("Self-supervised vision transformers for ML.NET: what a checkpoint is, and in which form others can read it.")
{
    DescribeCommand.Create(),
    ExportCommand.Create(),
    ReportCommand.Create(),
};
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
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
    or InvalidOperationException or NotSupportedException or DllNotFoundException)
{
    Console.Error.WriteLine(e.Message);
    return Failed;
}
