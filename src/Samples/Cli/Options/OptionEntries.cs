using System.Text.Json;

namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>Options in JSON: an object within the object becomes a name with a point, <c>{ "Head": { "OutDim": 8 } }</c> is <c>Head.OutDim</c>.</summary>
internal static class OptionEntries
{
    /// <summary>How configurations are read: comments and a last comma are allowed, a name that comes twice is not.</summary>
    public static readonly JsonDocumentOptions Lenient =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

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
