using MaskBias.MLNet.Images;
using Microsoft.ML;

namespace MaskBias.MLNet.Masks.Files;

/// <summary>Adds the stored masks of images. There is nothing to learn: fitting checks the column and opens the mask file or folder.</summary>
public sealed class LoadMasksEstimator : IEstimator<LoadMasksTransformer>
{
    private readonly LoadMasksOptions options;

    internal LoadMasksEstimator(LoadMasksOptions options) => this.options = OptionsValidator.Validate(options).Copy();

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or no text, or the format does not go with the path.</exception>
    /// <exception cref="IOException">The mask file or folder does not exist or cannot be read.</exception>
    /// <exception cref="InvalidDataException">The mask file is malformed.</exception>
    public LoadMasksTransformer Fit(IDataView input)
    {
        Check(ImageColumn.Find(input.Schema, options.InputColumnName).Kind, options.InputColumnName);
        return new(options, MaskSources.Open(options));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or no text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Check(ImageColumn.Find(inputSchema, options.InputColumnName), options.InputColumnName);
        return MaskColumn.Add(inputSchema, options.OutputColumnName);
    }

    internal static void Check(ImageColumnKind kind, string column)
    {
        if (kind != ImageColumnKind.Path)
            throw new ArgumentException($"Column '{column}' holds images, not their paths; stored masks are found by the path (Text).");
    }
}
