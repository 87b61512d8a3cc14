using MaskBias.MLNet.Masks.Sam.Model;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>
/// Segment Anything (Kirillov et al., ICCV 2023): an image encoder, an encoder of prompts and a mask decoder, with the parameter names of
/// the published checkpoints. <see cref="SamPredictor"/> and <see cref="SamMaskGenerator"/> use it.
/// </summary>
/// <remarks>For inference; its methods may be called from several threads at once.</remarks>
public sealed class SamModel : nn.Module
{
    private static readonly float[] Mean = [123.675f, 116.28f, 103.53f], Deviation = [58.395f, 57.12f, 57.375f];

    private readonly ImageEncoder image_encoder;
    private readonly PromptEncoder prompt_encoder;
    private readonly MaskDecoder mask_decoder;
    private readonly SamOptions options;

    /// <summary>Creates a model with random weights, in evaluation mode.</summary>
    /// <param name="options">The architecture.</param>
    /// <param name="seed">Seeds the weights; the process-wide random state is left as it was.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public SamModel(SamOptions options, long seed = 0) : base(TorchRuntime.EnsureLoaded(nameof(SamModel)))
    {
        this.options = OptionsValidator.Validate(options).Copy();
        using var isolated = new IsolatedRandomState();
        using var scope = NewDisposeScope();
        random.manual_seed(seed);
        image_encoder = new ImageEncoder(this.options);
        prompt_encoder = new PromptEncoder(this.options);
        mask_decoder = new MaskDecoder(this.options);
        RegisterComponents();
        this.DetachWeights();
        eval();
    }

    /// <summary>The architecture. A copy: changing it changes nothing here.</summary>
    public SamOptions Options => options.Copy();

    /// <summary>Where the weights are.</summary>
    public Device Device => parameters().First().device;

    internal ImageEncoder ImageEncoder => image_encoder;

    internal PromptEncoder PromptEncoder => prompt_encoder;

    internal MaskDecoder MaskDecoder => mask_decoder;

    /// <summary>
    /// Loads a checkpoint to the CPU: <c>sam_vit_b</c>, <c>l</c> or <c>h</c> as published (<c>.pth</c>), or the same weights as
    /// safetensors.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="decoderHeads">Attention heads of the mask decoder, which the weights do not show; null for the published 8.</param>
    /// <returns>The model, owned by the caller; its sizes are those of the file's tensors.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// It is damaged or not a Segment Anything checkpoint; tensors that are missing or too many are listed.
    /// </exception>
    public static SamModel Load(string path, int? decoderHeads = null) => SamCheckpoint.Load(path, decoderHeads);

    /// <summary>Finds a checkpoint's architecture without loading its weights.</summary>
    /// <inheritdoc cref="Load"/>
    /// <returns>The architecture.</returns>
    public static SamOptions Describe(string path, int? decoderHeads = null) => SamCheckpoint.Describe(path, decoderHeads);

    /// <summary>Normalises pixels and pads them to the square that the encoder sees.</summary>
    /// <param name="pixels">[1, 3, H, W] in [0, 255], no side longer than <see cref="SamOptions.ImageSize"/>.</param>
    /// <returns>[1, 3, S, S].</returns>
    internal Tensor Prepare(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var mean = tensor(Mean, device: pixels.device).view(1, 3, 1, 1);
        var deviation = tensor(Deviation, device: pixels.device).view(1, 3, 1, 1);
        var normalized = (pixels.to_type(ScalarType.Float32) - mean) / deviation;
        return nn.functional.pad(normalized, [0, options.ImageSize - pixels.shape[3], 0, options.ImageSize - pixels.shape[2]])
            .MoveToOuterDisposeScope();
    }

    /// <summary>Embeds prepared images, [B, 3, S, S] -> [B, P, G, G].</summary>
    internal Tensor Embed(Tensor images) => image_encoder.forward(images);
}
