using System.Text.Json;
using System.Text.Json.Serialization;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Training.Output;

/// <summary>What a run is, as run.json says it.</summary>
internal sealed record RunDescription
{
    public const string FileName = "run.json";

    /// <summary>Name in <see cref="Resolved"/> of the batch that the images allow.</summary>
    public const string BatchSize = "batchSize";

    private const int CurrentFormat = 1;
    private const long MaxLength = 1 << 22;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, MaxDepth = 8, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public int Format { get; init; } = CurrentFormat;

    /// <summary>Version of the library that began the run.</summary>
    public string Library { get; init; } = typeof(RunDescription).Assembly.GetName().Version?.ToString(3) ?? "";

    public required string Phase { get; init; }

    public required int Seed { get; init; }

    /// <summary>Fingerprint of the images: their number, sizes and sources.</summary>
    public required string Data { get; init; }

    /// <summary>Every option that bears on what is computed.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    /// <summary>What came of the options: batch, steps, learning rate, device.</summary>
    public required IReadOnlyDictionary<string, string> Resolved { get; init; }

    /// <summary>The options that a short run or a small set changed, and why.</summary>
    public required IReadOnlyList<string> Adjustments { get; init; }

    /// <summary>The same with one option more, which a resumed run may change and ranks must agree on.</summary>
    public RunDescription With(string name, object? option) =>
        this with { Options = Options.Concat(OptionsDescription.Of(name, option)).ToDictionary() };

    public void Write(string folder) =>
        AtomicFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Json));

    /// <summary>Reads the description of a run; null where there is none.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or newer.</exception>
    public static RunDescription? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            var read = JsonSerializer.Deserialize<RunDescription>(BoundedFile.Read(path, MaxLength, "a run's description"), Json)
                ?? throw new InvalidDataException($"{path} describes no run.");
            return read.Format == CurrentFormat
                ? read
                : throw new InvalidDataException($"{path} has format {read.Format}; this version reads {CurrentFormat}.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} does not describe a run: {e.Message}", e);
        }
    }

    /// <summary>What differs from an earlier description so that the run cannot be resumed, each by its name.</summary>
    public IEnumerable<string> DifferencesFrom(RunDescription earlier)
    {
        if (Phase != earlier.Phase) yield return $"the run is {earlier.Phase}, not {Phase}";
        if (Seed != earlier.Seed) yield return $"Seed was {earlier.Seed}, now {Seed}";
        foreach (string name in earlier.Options.Keys.Union(Options.Keys).Where(name => name != nameof(PretrainingOptions.Seed)))
        {
            string? before = earlier.Options.GetValueOrDefault(name), now = Options.GetValueOrDefault(name);
            if (before != now) yield return $"{name} was {before ?? "not there"}, now {now ?? "not there"}";
        }
        // The batch in force: with few images that of several ranks may be another.
        string? batch = Resolved.GetValueOrDefault(BatchSize), batchBefore = earlier.Resolved.GetValueOrDefault(BatchSize);
        if (batch != batchBefore) yield return $"{BatchSize} was {batchBefore}, now {batch}";
        if (Data != earlier.Data) yield return "the images are not those that it began with: another number, other sizes or other files";
    }
}
