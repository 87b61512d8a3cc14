using System.Security.Cryptography;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>What is in a folder: every file with its content, every folder, but for one that is left out.</summary>
internal static class FolderSnapshot
{
    public static SortedDictionary<string, string> Of(string folder, string leftOut)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories))
        {
            if (path == leftOut || path.StartsWith(leftOut + Path.DirectorySeparatorChar, StringComparison.Ordinal)) continue;
            found[path] = Directory.Exists(path) ? "folder" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
        }
        return found;
    }

    /// <summary>What differs between two.</summary>
    public static IEnumerable<string> Differences(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        before.Keys.Union(after.Keys).Where(path => before.GetValueOrDefault(path) != after.GetValueOrDefault(path));
}
