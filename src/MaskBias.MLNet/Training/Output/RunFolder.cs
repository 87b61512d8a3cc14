using MaskBias.MLNet.Distributed;

namespace MaskBias.MLNet.Training.Output;

/// <summary>The output folder of a run that this process alone writes to.</summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>The folder of checkpoints in a run's folder.</summary>
    public const string Checkpoints = "checkpoints";

    private const string LockFile = "run.lock", Replay = "replay";

    private readonly FileStream exclusive;
    private readonly bool overwrites;

    private RunFolder(string path, RunOutputOptions options, FileStream exclusive, bool overwrites)
    {
        (Path, this.exclusive, this.overwrites) = (path, exclusive, overwrites);
        CheckpointFolder = new(System.IO.Path.Combine(path, Checkpoints), options.KeepCheckpoints);
    }

    public string Path { get; }

    public CheckpointFolder CheckpointFolder { get; }

    /// <summary>The run that is to be resumed; null for one that begins.</summary>
    public RunDescription? Earlier { get; private init; }

    /// <summary>Opens the folder on rank 0, and agrees on the seed: the options', that of the run to be resumed, or one that is drawn.</summary>
    /// <exception cref="InvalidOperationException">It holds a run, and the options do not say what to do about it.</exception>
    /// <exception cref="InvalidDataException">The run's description is damaged.</exception>
    /// <exception cref="IOException">Another process trains into the folder, or it cannot be written.</exception>
    public static (RunFolder? Folder, int Seed) Open(RunOutputOptions options, IRanks ranks, int? seed, Random random)
    {
        var folder = ranks.IsRoot ? Open(options) : null;
        try
        {
            return (folder, ranks.FromRoot(seed ?? folder?.Earlier?.Seed ?? random.Next()));
        }
        catch
        {
            folder?.Dispose();
            throw;
        }
    }

    /// <summary>Opens the folder that the options name; null where they name none.</summary>
    /// <exception cref="InvalidOperationException">It holds a run, and the options do not say what to do about it.</exception>
    /// <exception cref="InvalidDataException">The run's description is damaged.</exception>
    /// <exception cref="IOException">Another process trains into the folder, or it cannot be written.</exception>
    public static RunFolder? Open(RunOutputOptions options)
    {
        if (options.Folder is null) return null;
        string path = System.IO.Path.GetFullPath(options.Folder);
        Directory.CreateDirectory(path);
        var exclusive = Lock(path);
        try
        {
            bool used = File.Exists(System.IO.Path.Combine(path, RunDescription.FileName));
            if (!used) RefuseForeignFiles(path);
            if (used && options.WhenUsed == ExistingRun.Refuse)
            {
                throw new InvalidOperationException($"Output.Folder {path} holds a run already. Set Output.WhenUsed to Resume to go on with it, "
                    + "to Overwrite to delete it, or choose another folder.");
            }
            bool overwrites = used && options.WhenUsed == ExistingRun.Overwrite;
            if (overwrites) _ = RunDescription.Read(path);  // another program's run.json is not ours to delete
            var folder = new RunFolder(path, options, exclusive, overwrites)
            {
                Earlier = options.WhenUsed == ExistingRun.Resume ? RunDescription.Read(path) : null,
            };
            folder.CheckpointFolder.Clean();
            foreach (string name in new[] { RunDescription.FileName, MetricsFile.FileName })
            {
                foreach (string left in Directory.EnumerateFiles(path, $"{name}.*.tmp")) File.Delete(left);
            }
            return folder;
        }
        catch
        {
            exclusive.Dispose();
            throw;
        }
    }

    /// <summary>Deletes the run that was in the folder, where the options say so: not before the new one is sure to begin.</summary>
    public void MakeRoom()
    {
        if (overwrites) DeleteRun(Path);
    }

    /// <summary>Folder for what led to a fault at a step.</summary>
    public string ReplayFolder(long step) => System.IO.Path.Combine(Path, Replay, FormattableString.Invariant($"step-{step:D9}"));

    public void Dispose() => exclusive.Dispose();

    // The lock is the open handle: it ends with the process, whatever ends that.
    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(System.IO.Path.Combine(path, LockFile)))
        {
            throw new IOException($"Output.Folder {path} is in use by another run: {e.Message}", e);
        }
    }

    // Only what runs write is ever deleted.
    private static void RefuseForeignFiles(string path)
    {
        string[] parts = [Checkpoints, Replay, MetricsFile.FileName, TensorBoardFile.FolderName];
        if (!parts.Any(name => System.IO.Path.Exists(System.IO.Path.Combine(path, name)))) return;
        throw new InvalidOperationException($"Output.Folder {path} holds parts of a run but no {RunDescription.FileName}; choose another folder.");
    }

    private static void DeleteRun(string path)
    {
        foreach (string name in new[] { Checkpoints, Replay, TensorBoardFile.FolderName })
        {
            string part = System.IO.Path.Combine(path, name);
            if (Directory.Exists(part)) Directory.Delete(part, recursive: true);
        }
        File.Delete(System.IO.Path.Combine(path, MetricsFile.FileName));
        File.Delete(System.IO.Path.Combine(path, RunDescription.FileName));
    }
}
