using System.Text.Json.Serialization;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights;

/// <summary>How an encoder's configuration is written as JSON.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 8,
    Converters =
    [
        typeof(EnumNameConverter<FeaturePooling>), typeof(EnumNameConverter<MaskRelation>),
        typeof(EnumNameConverter<RelationKind>), typeof(EnumNameConverter<BiasLayers>),
        typeof(EnumNameConverter<PositionKind>), typeof(EnumNameConverter<PositionResampling>),
        typeof(EnumNameConverter<FeedForwardKind>),
    ])]
[JsonSerializable(typeof(EncoderConfig))]
internal sealed partial class EncoderConfigJson : JsonSerializerContext;
