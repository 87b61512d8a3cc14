using System.Text.Json;
using System.Text.Json.Serialization;
using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.Experiments.Output;

/// <summary>
/// The file that an experiment goes on from: a JSON object per line, first the <see cref="RunHeader"/>, then every trial. A last line that a
/// kill has cut is no trial.
/// </summary>
internal sealed class RunFile : IDisposable
{
    private const long MaxLength = 64 << 20;
    private const string LockSuffix = ".lock", What = "a run file";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        MaxDepth = 8, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, Converters = { new JsonStringEnumConverter() },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string path;
    private readonly FileStream exclusive;
    private FileStream? file;

    private RunFile(string path, FileStream exclusive) => (this.path, this.exclusive) = (path, exclusive);

    /// <summary>The experiment that is gone on with; null for one that begins.</summary>
    public RunHeader? Earlier { get; private init; }

    /// <summary>Its trials.</summary>
    public IReadOnlyList<ExperimentTrial> Trials { get; private init; } = [];

    /// <summary>Opens the file that settings name; null where they name none.</summary>
    /// <exception cref="InvalidOperationException">It is there, and the settings say to refuse it.</exception>
    /// <exception cref="InvalidDataException">It is no run file, damaged, or newer.</exception>
    /// <exception cref="IOException">Another experiment writes to it, or it cannot be read.</exception>
    public static RunFile? Open(string? runFile, ExistingRun whenUsed)
    {
        if (runFile is null) return null;
        string path = Path.GetFullPath(runFile);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var exclusive = Lock(path);
        try
        {
            if (!File.Exists(path)) return new(path, exclusive);
            if (whenUsed == ExistingRun.Refuse)
            {
                throw new InvalidOperationException(
                    $"RunFile {path} is there already. Set WhenUsed to Resume to go on with it, to Overwrite to replace it, or choose another file.");
            }
            var (header, trials) = Read(path);              // another program's file is not ours to replace
            return whenUsed == ExistingRun.Overwrite ? new(path, exclusive) : new(path, exclusive) { Earlier = header, Trials = trials };
        }
        catch
        {
            exclusive.Dispose();
            throw;
        }
    }

    /// <summary>Begins the experiment, or checks that it is the one that the file tells of.</summary>
    /// <exception cref="InvalidOperationException">It is another one; all differences are listed.</exception>
    public void Begin(RunHeader header)
    {
        if (Earlier is { } earlier)
        {
            var faults = header.DifferencesFrom(earlier).ToList();
            if (faults.Count > 0)
            {
                throw new InvalidOperationException($"The experiment of {path} cannot be resumed:{string.Concat(faults.Select(f => "\n  - " + f))}\n"
                    + "Set WhenUsed to Overwrite to begin anew, or choose another RunFile.");
            }
        }
        AtomicFile.Write(path, stream =>
        {
            stream.Write(Line(Earlier ?? header));
            foreach (var trial in Trials) stream.Write(Line(trial));
        });
        file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    /// <summary>Adds a trial.</summary>
    /// <exception cref="IOException">It cannot be written, or the file would be larger than is read again; the trials before it stay.</exception>
    public void Add(ExperimentTrial trial)
    {
        byte[] line = Line(trial);
        if (file!.Length + line.Length > MaxLength)
            throw new IOException($"{path} is full: {What} may have at most {MaxLength} bytes. Set RunFile to null for an experiment of so many trials.");
        file.Write(line);                                   // in one piece: a kill cuts the last line at most
        file.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        file?.Dispose();
        exclusive.Dispose();
    }

    private static byte[] Line<T>(T value) => [.. JsonSerializer.SerializeToUtf8Bytes(value, Json), (byte)'\n'];

    private static (RunHeader Header, List<ExperimentTrial> Trials) Read(string path)
    {
        string[] lines = BoundedFile.ReadText(path, MaxLength, What).Split('\n');
        int whole = Math.Max(lines.Length - 1, lines[0].Length > 0 ? 1 : 0);
        RunHeader? header = null;
        var trials = new List<ExperimentTrial>();
        for (int i = 0; i < whole; i++)
        {
            try
            {
                if (header is null) header = Header(JsonSerializer.Deserialize<RunHeader>(lines[i], Json));
                else trials.Add(Trial(JsonSerializer.Deserialize<ExperimentTrial>(lines[i], Json), trials.Count + 1));
            }
            catch (Exception e) when (e is JsonException or InvalidDataException)
            {
                throw new InvalidDataException($"{path}, line {i + 1}: {e.Message}", e);
            }
        }
        return (header ?? throw new InvalidDataException($"{path} is empty; a run file begins with what the experiment is."), trials);
    }

    private static RunHeader Header(RunHeader? header)
    {
        if (header is null) throw new InvalidDataException("it does not say what the experiment is.");
        return header.Format == RunHeader.CurrentFormat
            ? header : throw new InvalidDataException($"it has format {header.Format}; this version reads {RunHeader.CurrentFormat}.");
    }

    private static ExperimentTrial Trial(ExperimentTrial? trial, int expected)
    {
        if (trial is null || trial.Number != expected) throw new InvalidDataException($"trial {expected} is missing.");
        if (trial.State == TrialState.Completed != trial.Metric.HasValue || trial.State == TrialState.Stopped)
            throw new InvalidDataException($"trial {expected} is {trial.State}, which does not fit its metric.");
        return trial.Point.All(p => p is >= 0 and < 1)
            ? trial : throw new InvalidDataException($"trial {expected} lies outside of the search space.");
    }

    // The lock is the open handle: it ends with the process, whatever ends that.
    private static FileStream Lock(string path)
    {
        try
        {
            return new(path + LockSuffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (File.Exists(path + LockSuffix))
        {
            throw new IOException($"RunFile {path} is in use by another experiment: {e.Message}", e);
        }
    }
}
