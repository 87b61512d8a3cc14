using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MaskBias.MLNet.Samples.Pictures;
using MaskBias.MLNet.Weights.KeyMaps;

namespace MaskBias.MLNet.Samples.Cli.Output;

/// <summary>
/// The part of a list of images that one of several processes embeds: a Parquet file in a folder, and beside it a note of what it is made of, by
/// which it is known again.
/// </summary>
internal sealed class EmbeddedPart
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly string note, content;

    private EmbeddedPart(string path, Range images, string content)
    {
        (Path, Images, note, this.content) = (path, images, path + ".from", content);
    }

    /// <summary>The Parquet file.</summary>
    public string Path { get; }

    /// <summary>Its images, of the whole list.</summary>
    public Range Images { get; }

    /// <summary>Whether it was written already, of the same images by the same encoder.</summary>
    public bool IsDone => File.Exists(Path) && File.Exists(note) && Noted() == content;

    /// <summary>The part of a process; null where there is one process.</summary>
    /// <param name="folder">The folder that the parts go to, created where missing.</param>
    /// <param name="images">Paths of all images, in the order that all processes have.</param>
    /// <param name="checkpoint">Where the encoder is.</param>
    /// <param name="options">How it is loaded.</param>
    /// <param name="upright">Whether the images are seen upright.</param>
    /// <param name="rank">The process, from 0.</param>
    /// <param name="ranks">Number of processes.</param>
    public static EmbeddedPart? Of(
        string folder, IEnumerable<string> images, string checkpoint, CheckpointLoadOptions options, bool upright, int rank, int ranks)
    {
        if (ranks == 1) return null;
        if (File.Exists(folder)) throw new UsageException($"--output is '{folder}', a file; {ranks} processes write parts into a folder of that name.");
        Directory.CreateDirectory(folder);
        string number = string.Create(CultureInfo.InvariantCulture, $"-of-{ranks:D5}.parquet");
        if (Directory.EnumerateFiles(folder, "part-*-of-*.parquet").FirstOrDefault(f => !f.EndsWith(number, StringComparison.Ordinal)) is { } other)
            throw new UsageException($"--output is '{folder}', which has {System.IO.Path.GetFileName(other)}: start as many processes as that says, or choose another folder.");
        string[] all = [.. images];
        int from = (int)((long)all.Length * rank / ranks), to = (int)((long)all.Length * (rank + 1) / ranks);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string image in all[from..to]) Add($"{image} {Stamp(image)}");
        foreach (string file in Files(checkpoint)) Add(Stamp(file));
        Add(JsonSerializer.Serialize(options, Json));
        Add(upright ? "upright" : "as stored");
        string name = string.Create(CultureInfo.InvariantCulture, $"part-{rank:D5}");
        return new(System.IO.Path.Combine(folder, name + number), from..to, Convert.ToHexStringLower(hash.GetHashAndReset()));

        void Add(string line) => hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
    }

    /// <summary>Deletes the note of an earlier file, before another takes that file's place.</summary>
    public void Start() => File.Delete(note);

    /// <summary>Notes what the file is made of, once it is whole.</summary>
    public void Finish() => File.WriteAllText(note, content);

    private string? Noted()
    {
        try
        {
            return Encoding.UTF8.GetString(WholeFile.Read(note, content.Length, "a note"));
        }
        catch (InvalidDataException)
        {
            return null;                                    // too long to be one
        }
    }

    private static IEnumerable<string> Files(string checkpoint) =>
        Directory.Exists(checkpoint) ? Directory.EnumerateFiles(checkpoint).Order(StringComparer.Ordinal) : [checkpoint];

    // Weights are large, and images many: their size and time tell whether they are others.
    private static string Stamp(string file)
    {
        var info = new FileInfo(file);
        var (length, time) = info.Exists ? (info.Length, info.LastWriteTimeUtc.Ticks) : (0L, 0L);
        return string.Create(CultureInfo.InvariantCulture, $"{info.Name} {length} {time}");
    }
}
