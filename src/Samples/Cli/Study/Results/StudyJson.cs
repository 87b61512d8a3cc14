using System.Text.Json;
using System.Text.Json.Serialization;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>Results as files, each written whole or not at all.</summary>
internal static class StudyJson
{
    private const long MostBytes = 1L << 28;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write<T>(this T result, string path) => WholeFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(result, Json));

    /// <summary>Reads a result; null where there is none, or one that is damaged and so counts as missing.</summary>
    public static T? Read<T>(string path) where T : class
    {
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize<T>(WholeFile.Read(path, MostBytes, "a result"), Json);
        }
        catch (Exception e) when (e is JsonException or IOException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Reads all results of a folder, by the files' names.</summary>
    public static IEnumerable<T> ReadAll<T>(string folder) where T : class => !Directory.Exists(folder) ? []
        : Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(Read<T>).OfType<T>();
}
