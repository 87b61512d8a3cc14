using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights.Export;

/// <summary>What a reader of an exported encoder should know: written as JSON and as Markdown beside every export.</summary>
/// <remarks>The architecture, versions and number of weights are filled in; the rest is the caller's, and missing parts are said to be missing.</remarks>
public sealed class ModelCard
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Name of the encoder.</summary>
    /// <value>null: the file's name.</value>
    public string? Name { get; set; }

    /// <summary>What it is for, and its limits.</summary>
    /// <value>null.</value>
    public string? Description { get; set; }

    /// <summary>Licence of the weights, preferably as an SPDX identifier.</summary>
    /// <value>null: "not stated", since no licence of weights follows from this library's.</value>
    public string? License { get; set; }

    /// <summary>How it was trained: a phase's name, epochs, learning rate, and so on, in the order to show them.</summary>
    public IDictionary<string, string> Recipe { get; } = new Dictionary<string, string>();

    /// <summary>Numbers of images, rows, masks or classes.</summary>
    public IDictionary<string, long> Data { get; } = new Dictionary<string, long>();

    /// <summary>What was measured; say in the name on what data. What is not finite is written as null, "none" in Markdown.</summary>
    public IDictionary<string, double> Metrics { get; } = new Dictionary<string, double>();

    /// <summary>Makes the card of an export: what is returned writes <c>FILE.card.json</c> and <c>FILE.card.md</c>, once FILE is written.</summary>
    internal Action Prepare(VisionEncoder encoder, string exported, string format)
    {
        var card = ToJson(encoder, exported, format);
        byte[] json = Encoding.UTF8.GetBytes(card.ToJsonString(Indented) + "\n"), markdown = Encoding.UTF8.GetBytes(ToMarkdown(card));
        return () =>
        {
            AtomicFile.Write(exported + ".card.json", stream => stream.Write(json));
            AtomicFile.Write(exported + ".card.md", stream => stream.Write(markdown));
        };
    }

    private JsonObject ToJson(VisionEncoder encoder, string exported, string format)
    {
        var config = JsonNode.Parse(EncoderConfig.Of(encoder).ToJson())!.AsObject();
        long weights = encoder.Model.parameters().Sum(p => p.NumberOfElements);
        return new JsonObject
        {
            ["name"] = Name ?? Path.GetFileName(exported), ["file"] = Path.GetFileName(exported), ["format"] = format,
            ["description"] = Description, ["license"] = License ?? "not stated", ["weights"] = weights,
            ["architecture"] = config["architecture"]!.DeepClone(), ["normalization"] = config["normalization"]!.DeepClone(),
            ["recipe"] = Object(Recipe, v => JsonValue.Create(v)), ["data"] = Object(Data, v => JsonValue.Create(v)),
            ["metrics"] = Object(Metrics, v => double.IsFinite(v) ? JsonValue.Create(v) : null),
            ["versions"] = new JsonObject
            {
                ["MaskBias.MLNet"] = Version(typeof(ModelCard).Assembly), ["TorchSharp"] = Version(typeof(TorchSharp.torch).Assembly),
                [".NET"] = Environment.Version.ToString(),
            },
        };
    }

    private static JsonObject Object<T>(IDictionary<string, T> values, Func<T, JsonNode?> convert) =>
        new(values.Select(v => KeyValuePair.Create(v.Key, convert(v.Value))));

    private static string Version(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? assembly.GetName().Version?.ToString() ?? "unknown";

    private static string ToMarkdown(JsonObject card)
    {
        var text = new StringBuilder($"# {Line(card["name"])}\n\n");
        if (card["description"] is { } description) text.Append($"{description}\n\n");
        text.Append($"Licence of the weights: {Line(card["license"])}. File `{Line(card["file"])}`: {Line(card["format"])}, {Line(card["weights"])} weights.\n");
        foreach (string section in (string[])["architecture", "normalization", "recipe", "data", "metrics", "versions"])
        {
            text.Append($"\n## {char.ToUpperInvariant(section[0])}{section[1..]}\n\n");
            var values = card[section]!.AsObject();
            if (values.Count == 0)
            {
                text.Append("Not stated.\n");
                continue;
            }
            text.Append("| | |\n|---|---|\n");
            foreach (var (name, value) in values) text.Append($"| {Cell(name)} | {Cell(Line(value))} |\n");
        }
        return text.ToString();
    }

    private static string Line(JsonNode? value) => value switch
    {
        null => "none",
        JsonArray list => string.Join(", ", list.Select(Line)),
        JsonObject nested => string.Join(", ", nested.Select(n => $"{n.Key} {Line(n.Value)}")),
        JsonValue single when single.TryGetValue(out double number) => number.ToString(CultureInfo.InvariantCulture),
        _ => value.ToString().ReplaceLineEndings(" "),
    };

    private static string Cell(string text) => text.Replace("|", "\\|").ReplaceLineEndings(" ");
}
