using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Samples.Common.Terminal;
using MaskBias.MLNet.Training;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Spectre.Console;

namespace MaskBias.MLNet.Samples.Cli.Output;

/// <summary>
/// What a command says while it works and at its end: notes and progress on the error output, the result on the standard output, as lines or as
/// one JSON object.
/// </summary>
internal sealed class Session : IDisposable
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private readonly bool asJson;
    private readonly ConsoleCancellation cancellation;

    private Session(bool asJson)
    {
        this.asJson = asJson;
        // Of the processes that mpirun started, one speaks.
        Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(IsRoot ? System.Console.Error : TextWriter.Null) });
        if (System.Console.IsErrorRedirected) Console.Profile.Width = 160;
        cancellation = new(Console);
    }

    /// <summary>The option that asks for JSON.</summary>
    public static Option<bool> JsonOption() => new("--json") { Description = "The result as JSON; notes and progress stay on the error output." };

    public IAnsiConsole Console { get; }

    /// <summary>Whether this process, of those that an MPI launcher started, is the one that writes results.</summary>
    public static bool IsRoot => MpiWorld.LaunchedRank == 0;

    /// <summary>How a run is spread unless an option says otherwise: over what mpirun or srun started.</summary>
    public static DistributedTraining Distributed => MpiWorld.LaunchedSize > 1 ? DistributedTraining.Mpi : DistributedTraining.None;

    public CancellationToken Token => cancellation.Token;

    /// <summary>Runs a command's work.</summary>
    public static int Run(ParseResult parsed, Option<bool> json, Action<Session> work)
    {
        using var session = new Session(parsed.GetValue(json));
        work(session);
        return 0;
    }

    /// <summary>A context whose warnings of this library are shown.</summary>
    public MLContext Context(int? seed)
    {
        var ml = new MLContext(seed);
        ml.Log += (_, entry) =>
        {
            if (entry.Kind == ChannelMessageKind.Warning && Sources.Any(s => entry.Source.StartsWith(s, StringComparison.Ordinal)))
            {
                if (IsRoot) Note(entry.RawMessage);
                else System.Console.Error.WriteLine(entry.RawMessage);
            }
        };
        return ml;
    }

    public void Note(string text) => Console.WriteLine(text);

    /// <summary>Trains, and shows the progress: bars on a terminal, lines elsewhere.</summary>
    public void Train(Action<IProgress<TrainingProgress>> train) => LiveProgress.Run(Console, train);

    /// <summary>Shows the options in force.</summary>
    public void Resolved(IEnumerable<(string Name, string Value)> options, string? why = null)
    {
        if (why is not null) Note(why);
        Note(string.Join("  ", options.Select(o => $"{o.Name}={o.Value}")));
    }

    /// <summary>Writes the result.</summary>
    public void Result(params IEnumerable<(string Name, object? Value)> values)
    {
        if (!IsRoot) return;
        var list = values.Where(v => v.Value is not null).ToList();
        if (!asJson)
        {
            foreach (var (name, value) in list) System.Console.WriteLine($"{name}: {Text(value!)}");
            return;
        }
        var result = new JsonObject();
        foreach (var (name, value) in list) result[Key(name)] = JsonSerializer.SerializeToNode(value is double d && !double.IsFinite(d) ? null : value);
        System.Console.WriteLine(result.ToJsonString(Json));
    }

    public void Dispose() => cancellation.Dispose();

    private static readonly string[] Sources = ["DINO", "MAE", "Distillation", "Fine-tuning", "Semi-supervised", "Linear probe", "Experiment", "Label efficiency", "SamMasksEstimator"];

    private static string Key(string name)
    {
        string[] words = name.Split(' ', '-');
        return string.Concat(words.Select((w, i) => i == 0 ? w : char.ToUpperInvariant(w[0]) + w[1..]));
    }

    private static string Text(object value) => value switch
    {
        double number => number.ToString("0.####", CultureInfo.InvariantCulture),
        IEnumerable<string> list => string.Join(", ", list),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
