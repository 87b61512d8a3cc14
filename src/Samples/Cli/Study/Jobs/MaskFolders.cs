using System.Runtime.ExceptionServices;
using System.Security.Cryptography;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>The mask folders of a plan, told apart by their files: masks that are made anew are another source.</summary>
/// <param name="folders">The folders by the name that cells call them by.</param>
/// <param name="root">The folder that they are in.</param>
internal sealed class MaskFolders(IReadOnlyDictionary<string, string> folders, string root)
{
    private static readonly EnumerationOptions Visible = new() { RecurseSubdirectories = true, IgnoreInaccessible = false };

    private readonly Dictionary<string, string> keys = [];

    /// <summary>Stands for a source: its name and, of a folder, its files, which are read once; the segmenter has none.</summary>
    public string Key(string source)
    {
        if (!folders.TryGetValue(source, out string? folder)) return source;
        if (keys.TryGetValue(source, out string? known)) return known;
        return keys[source] = $"{source} {Contents(Path.Combine(root, folder))}";
    }

    // Names and contents without times: a copy on another machine has the same masks.
    private static string Contents(string folder)
    {
        string[] files = Directory.GetFiles(folder, "*", Visible), lines = new string[files.Length];
        try
        {
            Parallel.For(0, files.Length, i => lines[i] = $"{Name(folder, files[i])} {Hash(files[i])}");
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);             // names the file that cannot be read
        }
        return StudyFolder.Key(lines.Order(StringComparer.Ordinal));
    }

    private static string Name(string folder, string file) =>
        Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/');

    private static string Hash(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
