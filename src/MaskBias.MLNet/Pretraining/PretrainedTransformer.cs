using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Pretraining;

/// <summary>
/// A pretrained encoder as a transformer: it adds the column Features with the embeddings of the images it was fitted on, or of others. A
/// mask-guided one reads the column of masks too.
/// </summary>
/// <remarks>Owns its <see cref="Encoder"/>: what was built with the encoder must not be used after <see cref="Dispose"/>.</remarks>
public class PretrainedTransformer : ITransformer, IDisposable
{
    private readonly ImageEmbeddingTransformer embedding;

    internal PretrainedTransformer(ImageEmbeddingTransformer embedding, TrainingReport report) =>
        (this.embedding, Report) = (embedding, report);

    /// <summary>The encoder, ready for EmbedImages, Distill, or EncoderCheckpoint.Save.</summary>
    public VisionEncoder Encoder => embedding.Encoder;

    /// <summary>How the training went.</summary>
    public TrainingReport Report { get; }

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => embedding.GetOutputSchema(inputSchema);

    /// <inheritdoc/>
    public IDataView Transform(IDataView input) => embedding.Transform(input);

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => embedding.GetRowToRowMapper(inputSchema);

    /// <summary>Writes the embedding as ML.NET's own transformers around an ONNX model; a mask-guided encoder refuses and says what to do.</summary>
    public void Save(ModelSaveContext ctx) => ((ITransformer)embedding).Save(ctx);

    /// <summary>Frees the encoder, and what embedding with it has allocated.</summary>
    public void Dispose()
    {
        embedding.Dispose();
        Encoder.Dispose();
        GC.SuppressFinalize(this);
    }
}
