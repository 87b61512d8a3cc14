using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Masks.Sam;

/// <summary>The architecture of a Segment Anything model (Kirillov et al., ICCV 2023).</summary>
public sealed class SamOptions : IValidatableObject
{
    /// <summary>Side in pixels of the square that the image encoder sees; images are resized to it and padded.</summary>
    /// <value>1024.</value>
    [Range(16, 4096)]
    public int ImageSize { get; set; } = 1024;

    /// <summary>Side in pixels of a patch; must divide <see cref="ImageSize"/>.</summary>
    /// <value>16.</value>
    [Range(1, 256)]
    public int PatchSize { get; set; } = 16;

    /// <summary>Width D of the image encoder's tokens; must be a multiple of <see cref="Heads"/>.</summary>
    /// <value>768 (ViT-B).</value>
    [Range(1, 16384)]
    public int EmbedDim { get; set; } = 768;

    /// <summary>Number of the image encoder's blocks.</summary>
    /// <value>12 (ViT-B).</value>
    [Range(1, 256)]
    public int Depth { get; set; } = 12;

    /// <summary>Attention heads of the image encoder.</summary>
    /// <value>12 (ViT-B).</value>
    [Range(1, 256)]
    public int Heads { get; set; } = 12;

    /// <summary>Hidden width of the MLPs of the image encoder.</summary>
    /// <value>3072 (ViT-B): four times <see cref="EmbedDim"/>.</value>
    [Range(1, 65536)]
    public int MlpDim { get; set; } = 3072;

    /// <summary>Side in patches of the windows in which most blocks attend.</summary>
    /// <value>14.</value>
    [Range(1, 4096)]
    public int WindowSize { get; set; } = 14;

    /// <summary>Indices of the blocks that attend to the whole image, from 0.</summary>
    /// <value>2, 5, 8 and 11 (ViT-B).</value>
    [Required]
    public IReadOnlyList<int> GlobalAttentionBlocks { get; set; } = [2, 5, 8, 11];

    /// <summary>
    /// Width P of the image embedding, of the prompts and of the mask decoder; a multiple of 8 and of twice <see cref="DecoderHeads"/>.
    /// </summary>
    /// <value>256.</value>
    [Range(8, 4096)]
    public int PromptDim { get; set; } = 256;

    /// <summary>Channels between the convolutions that reduce a mask prompt; a multiple of 4.</summary>
    /// <value>16.</value>
    [Range(4, 4096)]
    public int MaskPromptDim { get; set; } = 16;

    /// <summary>Number of two-way blocks of the mask decoder.</summary>
    /// <value>2.</value>
    [Range(1, 64)]
    public int DecoderDepth { get; set; } = 2;

    /// <summary>Attention heads of the mask decoder. The one size that the weights do not show.</summary>
    /// <value>8.</value>
    [Range(1, 256)]
    public int DecoderHeads { get; set; } = 8;

    /// <summary>Hidden width of the MLPs of the mask decoder.</summary>
    /// <value>2048.</value>
    [Range(1, 65536)]
    public int DecoderMlpDim { get; set; } = 2048;

    /// <summary>Hidden width of the head that predicts how good a mask is.</summary>
    /// <value>256.</value>
    [Range(1, 65536)]
    public int IouHeadDim { get; set; } = 256;

    /// <summary>Linear layers of the head that predicts how good a mask is.</summary>
    /// <value>3.</value>
    [Range(1, 64)]
    public int IouHeadDepth { get; set; } = 3;

    /// <summary>Masks that answer an ambiguous prompt, beside the single one that answers a clear prompt.</summary>
    /// <value>3: whole, part and subpart.</value>
    [Range(1, 64)]
    public int MultimaskOutputs { get; set; } = 3;

    /// <summary>Side in patches of the image that the encoder sees, and of its embedding.</summary>
    internal int GridSize => ImageSize / PatchSize;

    /// <summary>Side in pixels of the masks that the decoder gives and takes.</summary>
    internal int MaskSize => 4 * GridSize;

    /// <summary>SAM ViT-B, 94 million weights: the checkpoint <c>sam_vit_b_01ec64.pth</c>.</summary>
    public static SamOptions Base() => new();

    /// <summary>SAM ViT-L, 312 million weights: the checkpoint <c>sam_vit_l_0b3195.pth</c>.</summary>
    public static SamOptions Large() =>
        new() { EmbedDim = 1024, Depth = 24, Heads = 16, MlpDim = 4096, GlobalAttentionBlocks = [5, 11, 17, 23] };

    /// <summary>SAM ViT-H, 641 million weights: the checkpoint <c>sam_vit_h_4b8939.pth</c>.</summary>
    public static SamOptions Huge() =>
        new() { EmbedDim = 1280, Depth = 32, Heads = 16, MlpDim = 5120, GlobalAttentionBlocks = [7, 15, 23, 31] };

    /// <inheritdoc/>
    IEnumerable<ValidationResult> IValidatableObject.Validate(ValidationContext validationContext)
    {
        if (PatchSize > 0 && ImageSize % PatchSize != 0)
            yield return new($"PatchSize is {PatchSize}; it must divide ImageSize {ImageSize}.");
        if (Heads > 0 && EmbedDim % Heads != 0)
            yield return new($"Heads is {Heads}; it must divide EmbedDim {EmbedDim}.");
        if (PromptDim % 8 != 0)
            yield return new($"PromptDim is {PromptDim}; it must be a multiple of 8.");
        if (DecoderHeads > 0 && PromptDim % (2 * DecoderHeads) != 0)
            yield return new($"DecoderHeads is {DecoderHeads}; twice that must divide PromptDim {PromptDim}.");
        if (MaskPromptDim % 4 != 0)
            yield return new($"MaskPromptDim is {MaskPromptDim}; it must be a multiple of 4.");
        foreach (int block in (GlobalAttentionBlocks ?? []).Where(block => block < 0 || block >= Depth))
            yield return new($"GlobalAttentionBlocks holds {block}; each must lie in [0, {Depth - 1}].");
    }

    internal SamOptions Copy()
    {
        var copy = (SamOptions)MemberwiseClone();
        copy.GlobalAttentionBlocks = GlobalAttentionBlocks?.ToArray()!;
        return copy;
    }

    /// <summary>How many weights a model has, but for its biases and norms.</summary>
    internal long EstimateParameters()
    {
        long width = EmbedDim, prompt = PromptDim, square = prompt * prompt, masks = 1L + MultimaskOutputs, mask = MaskPromptDim;
        int global = GlobalAttentionBlocks.Distinct().Count();
        long sides = global * (2L * GridSize - 1) + (Depth - global) * (2L * WindowSize - 1);
        long positions = (long)GridSize * GridSize * width + 2 * sides * (width / Heads);                   // absolute and relative
        long encoder = Depth * (4 * width * width + 2 * width * MlpDim) + 3L * PatchSize * PatchSize * width + width * prompt + 9 * square;
        long prompts = mask + mask * mask + mask * prompt;
        long decoder = DecoderDepth * (8 * square + 2 * prompt * DecoderMlpDim) + 2 * square + square + square / 8;
        long quality = prompt * IouHeadDim + Math.Max(0, IouHeadDepth - 2L) * IouHeadDim * IouHeadDim + IouHeadDim * masks;
        return positions + encoder + prompts + decoder + masks * (2 * square + square / 8) + quality;
    }
}
