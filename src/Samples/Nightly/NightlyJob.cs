using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Images;
using Parquet.Serialization;

namespace MaskBias.MLNet.Samples.Nightly;

/// <summary>Brings a Parquet file of embeddings up to date with a folder of images: only new and changed files are embedded.</summary>
internal sealed class NightlyJob(IImageEmbedder embedder, TextWriter log)
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"];

    /// <summary>Runs the job; a run that is stopped leaves the old file as it was.</summary>
    /// <returns>Files embedded, kept as they were, removed and unreadable.</returns>
    public async Task<(int Embedded, int Kept, int Removed, int Unreadable)> RunAsync(string folder, string output, CancellationToken cancel)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);          // now, not after the night
        var before = new Dictionary<string, EmbeddedFile>(StringComparer.Ordinal);
        if (File.Exists(output))
        {
            await using var stream = File.OpenRead(output);
            foreach (var row in (await ParquetSerializer.DeserializeAsync<EmbeddedFile>(stream, cancellationToken: cancel)).Data) before[row.Path] = row;
        }
        var rows = new SortedDictionary<string, EmbeddedFile>(StringComparer.Ordinal);
        int kept = 0, unreadable = 0;
        var files = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(f => Extensions.Contains(f.Extension, StringComparer.OrdinalIgnoreCase)).ToArray();
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancel }, async (file, token) =>
        {
            string path = Path.GetRelativePath(folder, file.FullName).Replace(Path.DirectorySeparatorChar, '/');
            if (before.TryGetValue(path, out var row) && row.Length == file.Length && row.ModifiedTicks == file.LastWriteTimeUtc.Ticks
                && row.ModelId == embedder.ModelId)
            {
                Interlocked.Increment(ref kept);
            }
            else
            {
                try
                {
                    var (features, id) = await embedder.EmbedAsync(ImageInput.FromFile(file.FullName), token);
                    row = new() { Path = path, Length = file.Length, ModifiedTicks = file.LastWriteTimeUtc.Ticks, ModelId = id, Embedding = [.. features] };
                }
                catch (ImageReadException e)
                {
                    Interlocked.Increment(ref unreadable);
                    lock (log) log.WriteLine($"left out: {e.Message}");
                    return;
                }
            }
            lock (rows) rows[path] = row;
        });
        string temporary = $"{output}.{Path.GetRandomFileName()}.tmp";
        try
        {
            await using (var stream = File.Create(temporary))
            {
                await ParquetSerializer.SerializeAsync(rows.Values, stream, cancellationToken: cancel);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, output, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
        return (rows.Count - kept, kept, before.Keys.Count(path => !rows.ContainsKey(path)), unreadable);
    }
}
