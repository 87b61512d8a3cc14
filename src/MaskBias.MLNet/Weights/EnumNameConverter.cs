using System.Text.Json;
using System.Text.Json.Serialization;

namespace MaskBias.MLNet.Weights;

/// <summary>Enum values by name alone: no numbers, no combinations.</summary>
internal sealed class EnumNameConverter<T> : JsonConverter<T> where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? name = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        string[] names = Enum.GetNames<T>();
        int index = Array.IndexOf(names, name);
        if (index < 0)
        {
            string found = name ?? reader.TokenType.ToString();
            throw new JsonException($"{typeof(T).Name} is {found}; it must be one of {string.Join(", ", names)}.");
        }
        return Enum.Parse<T>(names[index]);
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
