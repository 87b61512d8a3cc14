using System.Globalization;
using System.Text.Json;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Training.Output;

/// <summary>
/// The checkpoints of a run, a folder each: <c>state.safetensors</c> to resume from, <c>encoder/</c> to use, and <c>checkpoint.json</c>. One
/// is written under another name and renamed when it is on disk, so that a kill at any moment leaves whole ones only.
/// </summary>
internal sealed class CheckpointFolder(string folder, int keep)
{
    /// <summary>The usable encoder in a checkpoint's folder.</summary>
    public const string EncoderFolder = "encoder";

    private const string MarkFile = "checkpoint.json", StateFile = "state.safetensors";
    private const string Prefix = "step-", Unfinished = ".tmp";
    private const int Format = 1, MaxMarkLength = 1 << 16;

    /// <summary>The newest checkpoint that is known to be whole, or null.</summary>
    public string? Last { get; private set; }

    /// <summary>Removes what interrupted writes have left.</summary>
    public void Clean()
    {
        if (!Directory.Exists(folder)) return;
        foreach (string left in Directory.EnumerateDirectories(folder, $"*{Unfinished}")) Directory.Delete(left, recursive: true);
    }

    /// <summary>Writes a checkpoint and drops the oldest beyond those to keep.</summary>
    /// <exception cref="IOException">It cannot be written; the ones before it are as they were.</exception>
    public void Write(TrainingPosition next, TrainingState state, Action<string> saveEncoder)
    {
        string name = Name(next.Step), target = Path.Combine(folder, name);
        string writing = Path.Combine(folder, $"{name}.{Path.GetRandomFileName()}{Unfinished}");
        try
        {
            Write(writing, next, state, saveEncoder);
            // What is of this step or a later one is damaged, or the run would not have come here.
            foreach (var (damaged, _) in In(folder).Where(c => c.Step >= next.Step).ToList()) TryDelete(damaged);
            Directory.Move(writing, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(writing);
            string left = Last is null ? "There is none before it." : $"The last good one is {Last}.";
            throw new CheckpointException($"The checkpoint of step {next.Step} cannot be written to {folder}: {e.Message} {left}", e);
        }
        Last = target;
        foreach (var (old, _) in In(folder).OrderByDescending(c => c.Step).Skip(keep).ToList()) TryDelete(old);
    }

    /// <summary>Writes state and encoder into a folder, the mark last.</summary>
    public static void Write(string folder, TrainingPosition next, TrainingState state, Action<string> saveEncoder)
    {
        string stateFile = Path.Combine(folder, StateFile);
        state.Save(stateFile);
        saveEncoder(Path.Combine(folder, EncoderFolder));
        var mark = new CheckpointMark(Format, next.Epoch, next.Step, Fingerprint.OfFile(stateFile));
        AtomicFile.Write(Path.Combine(folder, MarkFile), stream => JsonSerializer.Serialize(stream, mark));
    }

    /// <summary>Finds the newest whole checkpoint.</summary>
    /// <param name="warn">Told of each one that is damaged.</param>
    /// <returns>Its folder and the step that comes next; null where there is none at all.</returns>
    /// <exception cref="InvalidDataException">There are some, and every one is damaged.</exception>
    public (string Path, TrainingPosition Next)? FindLast(Action<string> warn)
    {
        var all = In(folder).OrderByDescending(c => c.Step).ToList();
        foreach (var (path, step) in all)
        {
            if (Fault(path, step, out var next) is not { } fault)
            {
                Last = path;
                return (path, next);
            }
            warn($"Checkpoint {path} is damaged ({fault}); the run goes back to the one before it.");
        }
        if (all.Count == 0) return null;
        throw new InvalidDataException(
            $"All {all.Count} checkpoints in {folder} are damaged, so that the run cannot be resumed. Start it anew with WhenUsed = Overwrite.");
    }

    /// <summary>Reads a checkpoint's state into a run.</summary>
    public static void Load(string checkpoint, TrainingState state)
    {
        using var file = SafetensorsFile.Open(Path.Combine(checkpoint, StateFile));
        state.Load(file);
    }

    private static string? Fault(string path, long step, out TrainingPosition next)
    {
        next = default;
        try
        {
            var mark = JsonSerializer.Deserialize<CheckpointMark>(BoundedFile.Read(Path.Combine(path, MarkFile), MaxMarkLength, "it"));
            if (mark is null || mark.Format != Format) return $"{MarkFile} is of another format";
            if (mark.Step != step || mark.Epoch < 0) return $"{MarkFile} is of another step";
            if (mark.State != Fingerprint.OfFile(Path.Combine(path, StateFile))) return $"{StateFile} is not what was written";
            next = new(mark.Epoch, mark.Step);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            return e.Message;
        }
    }

    /// <summary>What looks like a checkpoint in a folder, and its step, in no order.</summary>
    public static IEnumerable<(string Path, long Step)> In(string folder)
    {
        if (!Directory.Exists(folder)) yield break;
        foreach (string path in Directory.EnumerateDirectories(folder, Prefix + "*"))
        {
            if (long.TryParse(Path.GetFileName(path).AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long step))
                yield return (path, step);
        }
    }

    private static string Name(long step) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D9}");

    // Renamed first, so that a kill leaves no part of a checkpoint under its name.
    private static void TryDelete(string path)
    {
        try
        {
            if (!Directory.Exists(path)) return;
            string gone = path;
            if (!path.EndsWith(Unfinished, StringComparison.Ordinal)) Directory.Move(path, gone = $"{path}.{Path.GetRandomFileName()}{Unfinished}");
            Directory.Delete(gone, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is in nobody's way: the next checkpoint or the next start tries again.
        }
    }
}
