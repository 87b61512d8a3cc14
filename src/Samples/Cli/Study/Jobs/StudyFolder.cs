using System.Security.Cryptography;
using System.Text;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>
/// The folder of a study. The page, tables, pictures and <c>results/</c> are small and say everything; <c>work/</c> holds checkpoints,
/// encoders and masks, and is needed to go on.
/// </summary>
/// <param name="root">The folder.</param>
internal sealed class StudyFolder(string root)
{
    private const int KeyLength = 16;

    /// <summary>The folder itself.</summary>
    public string Root => root;

    /// <summary>The folder of all results.</summary>
    public string Results => Path.Combine(root, "results");

    /// <summary>What is known of a training.</summary>
    public string Run(string key) => Path.Combine(Results, "runs", key + ".json");

    /// <summary>What was measured of a cell's encoder of one seed, by one group of measures.</summary>
    public string Measured(string cell, int seed, string group) =>
        Path.Combine(Results, "cells", cell, FormattableString.Invariant($"seed-{seed}-{group}.json"));

    /// <summary>What was measured of a set of the search.</summary>
    public string Searched(string set) => Path.Combine(Results, "search", set + ".json");

    /// <summary>What the plan asks for.</summary>
    public string Asked => Path.Combine(Results, "asked.json");

    /// <summary>A result's file as <see cref="Asked"/> names it, on every machine alike.</summary>
    public string NameOf(string result) => Path.GetRelativePath(Results, result).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>The images that were measured on.</summary>
    public string Images => Path.Combine(Results, "images.json");

    /// <summary>How a source of masks did.</summary>
    public string Masks(string source) => Path.Combine(Results, "masks", source + ".json");

    /// <summary>The folder of the failures.</summary>
    public string Failures => Path.Combine(Results, "failures");

    /// <summary>A failure.</summary>
    public string Failure(string job) => Path.Combine(Failures, job + ".json");

    /// <summary>A picture that the page shows.</summary>
    public string Picture(string name) => Path.Combine(root, "pictures", name + ".png");

    /// <summary>A training's checkpoints and encoder.</summary>
    public string Training(string key) => Path.Combine(root, "work", "runs", key);

    /// <summary>The encoder that a training has left.</summary>
    public string Encoder(string key) => Path.Combine(Training(key), "encoder");

    /// <summary>Encoded masks of a list of images.</summary>
    public string MaskFile(string key) => Path.Combine(root, "work", "masks", key + ".masks");

    /// <summary>What only one process does at a time; null where another does it now.</summary>
    public FileStream? TryLock(string name)
    {
        string path = Path.Combine(root, "work", "locks", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            // The open handle is the lock: it ends with the process, whatever ends that.
            return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>As <see cref="TryLock"/>, but waits for the other process.</summary>
    public FileStream Lock(string name, CancellationToken cancellation)
    {
        while (true)
        {
            if (TryLock(name) is { } held) return held;
            cancellation.WaitHandle.WaitOne(100);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A text that is the same only for the same lines.</summary>
    public static string Key(IEnumerable<string> lines) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))))[..KeyLength];
}
