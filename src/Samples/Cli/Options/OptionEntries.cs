using System.Text.Json;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>Options in JSON: an object within the object becomes a name with a point, <c>{ "Head": { "OutDim": 8 } }</c> is <c>Head.OutDim</c>.</summary>
internal static class OptionEntries
{
    private const long MaxBytes = 1 << 24;

    /// <summary>How configurations are read: comments and a last comma are allowed, a name that comes twice is not.</summary>
    private static readonly JsonDocumentOptions Lenient =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

    /// <summary>Reads a file of options, or a plan that holds some.</summary>
    /// <exception cref="UsageException">It is not there, not JSON, or too large; the message says what it should be.</exception>
    public static JsonDocument Read(string path, string what)
    {
        try
        {
            return JsonDocument.Parse(WholeFile.Read(path, MaxBytes, what), Lenient);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            throw new UsageException($"{path} cannot be read as {what}: {e.Message}");
        }
    }

    /// <summary>The names and values of an object, in its order.</summary>
    public static IReadOnlyList<(string Name, string Text)> Of(JsonElement element) => [.. Flatten(element, "")];

    private static IEnumerable<(string, string)> Flatten(JsonElement element, string prefix) =>
        element.EnumerateObject().SelectMany(p => p.Value.ValueKind switch
        {
            JsonValueKind.Object => Flatten(p.Value, $"{prefix}{p.Name}."),
            JsonValueKind.Array => [(prefix + p.Name, string.Join(',', p.Value.EnumerateArray().Select(v => v.ToString())))],
            JsonValueKind.Null => [(prefix + p.Name, "null")],
            _ => (IEnumerable<(string, string)>)[(prefix + p.Name, p.Value.ToString())],
        });
}
