using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>Names in an exported encoder. In ML.NET they are the names of the columns.</summary>
public sealed class OnnxExportOptions : IValidatableObject
{
    /// <summary>Name of the input: pixels in [0, 255], [batch, 3, S, S], planar R, G, B.</summary>
    /// <value>"pixels".</value>
    [Required]
    public string InputName { get; set; } = "pixels";

    /// <summary>Name of the output: features, [batch, D].</summary>
    /// <value>"features".</value>
    [Required]
    public string OutputName { get; set; } = "features";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (InputName == OutputName) yield return new($"OutputName is \"{OutputName}\"; it must differ from InputName.");
    }
}
