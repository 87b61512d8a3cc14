using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>What an exported encoder takes and gives. In ML.NET the names are the names of the columns.</summary>
public sealed class OnnxExportOptions : IValidatableObject
{
    /// <summary>Name of the input: pixels in [0, 255], [batch, 3, S, S], planar R, G, B.</summary>
    /// <value>"pixels".</value>
    [Required]
    public string InputName { get; set; } = "pixels";

    /// <summary>The outputs.</summary>
    /// <value><see cref="OnnxOutputs.Features"/>.</value>
    public OnnxOutputs Outputs { get; set; } = OnnxOutputs.Features;

    /// <summary>Name of the features, [batch, D].</summary>
    /// <value>"features".</value>
    [Required]
    public string OutputName { get; set; } = "features";

    /// <summary>Features of several blocks, or null for the encoder's own feature vector.</summary>
    /// <value>null.</value>
    public BlockFeatureOptions? Blocks { get; set; }

    /// <summary>Name of the class token, [batch, D].</summary>
    /// <value>"class_token".</value>
    [Required]
    public string ClassTokenName { get; set; } = "class_token";

    /// <summary>Name of the patch tokens, [batch, N, D].</summary>
    /// <value>"patch_tokens".</value>
    [Required]
    public string PatchTokensName { get; set; } = "patch_tokens";

    /// <summary>Name of the last block's self-attention, [batch, h, 1 + R + N, 1 + R + N].</summary>
    /// <value>"last_attention".</value>
    [Required]
    public string LastAttentionName { get; set; } = "last_attention";

    /// <summary>Images per run, or null to let each run choose.</summary>
    /// <value>null.</value>
    [Range(1, 65536)]
    public int? BatchSize { get; set; }

    /// <summary>
    /// Whether each run chooses height and width, whole patches of at least one: the position embedding is then resampled inside the model,
    /// as the encoder does it. ML.NET needs a fixed size.
    /// </summary>
    /// <value>False: the encoder's own size.</value>
    public bool DynamicImageSize { get; set; }

    /// <summary>
    /// Whether weights are stored as float16, in half the space. They are widened when the model is loaded: results differ by the rounding
    /// of the weights alone.
    /// </summary>
    /// <value>False.</value>
    public bool HalfPrecisionWeights { get; set; }

    internal IEnumerable<string> AllNames => [InputName, OutputName, ClassTokenName, PatchTokensName, LastAttentionName];

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        const OnnxOutputs Known = OnnxOutputs.Features | OnnxOutputs.ClassToken | OnnxOutputs.PatchTokens | OnnxOutputs.LastAttention;
        if (Outputs == 0 || (Outputs & ~Known) != 0) yield return new($"Outputs is {Outputs}; it must name at least one output, and known ones.");
        foreach (var name in AllNames.GroupBy(n => n).Where(g => g.Count() > 1))
            yield return new($"\"{name.Key}\" names {name.Count()} inputs and outputs; their names must differ.");
    }
}
