using Google.Protobuf;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.Export;
using MaskBias.MLNet.Weights.Onnx.Proto;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>
/// Exports a plain encoder as an ONNX model, from pixels in [0, 255] to features and other outputs, with the normalisation inside. It runs
/// in any ONNX runtime, without this library and without libtorch.
/// </summary>
/// <remarks>
/// Input: float [batch, 3, S, S], planar R, G, B, with S = <see cref="VisionEncoder.ImageSize"/>. Output: float [batch, D]. Opset 18.
/// In ML.NET, <c>ml.Transforms.ApplyOnnxModel(new MemoryStream(bytes))</c> takes a vector column of 3·S·S floats named as the input, as
/// ExtractPixels gives it, and makes a column of type Vector&lt;Single, 1, D&gt; named as the output; no shapes need to be given.
/// </remarks>
public static class OnnxEncoder
{
    /// <summary>Exports an encoder to memory.</summary>
    /// <param name="encoder">The encoder, on any device.</param>
    /// <param name="options">Names; by default the input is "pixels" and the output "features".</param>
    /// <returns>The bytes of an ONNX model.</returns>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    /// <exception cref="InvalidOperationException">The encoder is guided by masks, or larger than an ONNX file can be.</exception>
    public static byte[] Export(VisionEncoder encoder, OnnxExportOptions? options = null) => Build(encoder, options).ToByteArray();

    /// <summary>
    /// Exports an encoder to a file, with its model card beside it (<c>.card.json</c>, <c>.card.md</c>); older files are replaced only when
    /// the new ones are complete.
    /// </summary>
    /// <param name="encoder">The encoder, on any device.</param>
    /// <param name="path">The file; its folder is created where missing.</param>
    /// <param name="options">Outputs and names; by default the input is "pixels" and the output "features".</param>
    /// <param name="card">What to say of the encoder besides its architecture.</param>
    /// <exception cref="ArgumentException">An option is invalid.</exception>
    /// <exception cref="InvalidOperationException">The encoder is guided by masks, or larger than an ONNX file can be.</exception>
    public static void Export(VisionEncoder encoder, string path, OnnxExportOptions? options = null, ModelCard? card = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var model = Build(encoder, options);
        var writeCard = (card ?? new()).Prepare(encoder, path, $"ONNX, opset {OnnxGraph.OpsetVersion}, {model.DocString}");
        AtomicFile.Write(path, model.WriteTo);
        writeCard();
    }

    /// <summary>Whether an encoder can be exported as float32: it needs no masks, and a file holds its weights.</summary>
    internal static bool CanExport(VisionEncoder encoder) =>
        !encoder.Model.IsMaskGuided && OnnxGraph.Holds(sizeof(float) * encoder.Model.parameters().Sum(p => p.numel()));

    private static ModelProto Build(VisionEncoder encoder, OnnxExportOptions? options)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        options = OptionsValidator.Validate(options ?? new());
        if (encoder.Model.IsMaskGuided)
        {
            throw new InvalidOperationException("The encoder is guided by masks, which an exported model does not get. Distil it into a "
                + "plain encoder (SelfSupervised().Distill), or save an encoder checkpoint (EncoderCheckpoint.Save).");
        }
        OnnxDimension batch = options.BatchSize is { } rows ? rows : OnnxGraph.BatchDimension;
        var graph = new OnnxGraph(batch, options.HalfPrecisionWeights, options.AllNames);
        new VitGraph(encoder, graph, options).Add();
        string size = options.DynamicImageSize ? "height, width" : $"{encoder.ImageSize}, {encoder.ImageSize}";
        return graph.Build($"Vision transformer: pixels in [0, 255], [{batch}, 3, {size}], R, G, B, to {options.Outputs}; "
            + $"features are [{batch}, {options.Blocks?.Dimension(encoder.Model.Options) ?? encoder.FeatureDim}].");
    }
}
