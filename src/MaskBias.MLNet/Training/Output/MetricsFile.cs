using System.Text.Json;
using MaskBias.MLNet.Weights;

namespace MaskBias.MLNet.Training.Output;

/// <summary>
/// metrics.jsonl: a JSON object per line and step. A resumed run drops the lines of steps that it does again. A number that JSON lacks (NaN)
/// is written as null.
/// </summary>
internal sealed class MetricsFile : IProgress<TrainingProgress>, IDisposable
{
    public const string FileName = "metrics.jsonl";

    private const long MaxLength = 1L << 29;            // millions of steps

    private readonly FileStream stream;
    private readonly MemoryStream line = new();

    /// <param name="folder">The run's folder.</param>
    /// <param name="steps">Steps whose lines stay.</param>
    public MetricsFile(string folder, long steps)
    {
        string path = Path.Combine(folder, FileName);
        if (File.Exists(path)) KeepSteps(path, steps);
        stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        line.SetLength(0);
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("phase", value.Phase);
            json.WriteNumber("step", value.Step);
            json.WriteNumber("epoch", value.Epoch);
            foreach (var (name, number) in Numbers(value)) Write(json, name, number);
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        try
        {
            stream.Write(line.GetBuffer().AsSpan(0, (int)line.Length));      // in one piece: a kill leaves whole lines
        }
        catch (IOException e)
        {
            throw new IOException($"{stream.Name} cannot be written: {e.Message} The run stops at its last checkpoint.", e);
        }
    }

    /// <summary>What is reported of a step, by name.</summary>
    public static IEnumerable<(string Name, double Value)> Numbers(TrainingProgress value) =>
    [
        ("loss", value.Loss), ("learningRate", value.LearningRate), ("weightDecay", value.WeightDecay), ("gradientNorm", value.GradientNorm),
        ("imagesPerSecond", Math.Round(value.ImagesPerSecond, 2)), ("secondsElapsed", Math.Round(value.Elapsed.TotalSeconds, 3)),
        ("processMemory", value.ProcessMemory), .. value.Metrics.Select(m => (m.Key, m.Value)),
    ];

    public void Dispose()
    {
        stream.Dispose();
        line.Dispose();
    }

    private static void Write(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    /// <summary>Reads what a run has written so far, also while it goes on. Lines that are not of a step are passed over.</summary>
    /// <exception cref="InvalidDataException">The file is larger than any run's.</exception>
    public static IEnumerable<RunMetrics> Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) yield break;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length > MaxLength) throw new InvalidDataException($"{path} has {stream.Length} bytes; at most {MaxLength} are read.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } text)
        {
            if (Parse(text) is { } metrics) yield return metrics;
        }
    }

    private static void KeepSteps(string path, long steps)
    {
        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            foreach (string text in File.ReadLines(path).Where(text => Parse(text) is { } metrics && metrics.Step <= steps)) writer.WriteLine(text);
        });
    }

    // Null for what is no line of ours, such as one that the power failed in.
    private static RunMetrics? Parse(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !Whole("step", out long step)) return null;
            var values = new Dictionary<string, double>();
            foreach (var property in json.RootElement.EnumerateObject().Where(p => p.Name is not ("step" or "epoch")))
            {
                if (property.Value.ValueKind == JsonValueKind.Null) values[property.Name] = double.NaN;
                else if (property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetDouble(out double value)) values[property.Name] = value;
            }
            return new(step, Whole("epoch", out long epoch) ? (int)Math.Clamp(epoch, 0, int.MaxValue) : 0, values);

            bool Whole(string name, out long number)
            {
                number = 0;
                return json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out number);
            }
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
