using MaskBias.MLNet.Extensions.Models;
using Microsoft.Extensions.Options;

namespace MaskBias.MLNet.Extensions;

/// <summary>Checks the options and that the file is a model of the right kind, when the application starts.</summary>
internal sealed class MaskBiasEmbeddingOptionsValidator : IValidateOptions<MaskBiasEmbeddingOptions>
{
    public ValidateOptionsResult Validate(string? name, MaskBiasEmbeddingOptions options)
    {
        try
        {
            OptionsValidator.Validate(options);
            ModelFile.Check(options.ModelPath);
            return ValidateOptionsResult.Success;
        }
        catch (Exception e) when (e is ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return ValidateOptionsResult.Fail(string.IsNullOrEmpty(name) ? e.Message : $"The model with key '{name}': {e.Message}");
        }
    }
}
