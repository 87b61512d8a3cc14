namespace MaskBias.MLNet.Samples.Cli;

/// <summary>What was asked for cannot be: one line that says which option, what was given and what is allowed. Exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>Does what checks options, and turns the library's refusal of them into one of this tool.</summary>
    public static T Checked<T>(Func<T> create)
    {
        try
        {
            return create();
        }
        catch (ArgumentException e)
        {
            // The library lists each fault on a line of its own.
            string[] lines = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            throw new UsageException(string.Join(" ", lines.Select(line => line.TrimStart('-', ' '))));
        }
    }
}
