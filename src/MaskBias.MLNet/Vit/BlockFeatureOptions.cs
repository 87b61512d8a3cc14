using System.ComponentModel.DataAnnotations;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>A feature vector of several blocks, as linear probes read it: class tokens of the last blocks, one after the other.</summary>
public sealed class BlockFeatureOptions : IValidatableObject
{
    /// <summary>Blocks whose class tokens, each after the final normalisation, are concatenated, the oldest first; at most all.</summary>
    /// <value>4 (DINO's probe of ViT-S). 1 is the class token alone, 0 none: then the patches' mean must be there.</value>
    [Range(0, 256)]
    public int LastBlocks { get; set; } = 4;

    /// <summary>Whether the mean of the last block's patch tokens is appended.</summary>
    /// <value>False. True with <see cref="LastBlocks"/> 1 is DINO's probe of ViT-B.</value>
    public bool AppendPatchMean { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LastBlocks == 0 && !AppendPatchMean)
            yield return new("LastBlocks is 0 and AppendPatchMean is False; features need at least one of them.");
    }

    internal BlockFeatureOptions Copy() => (BlockFeatureOptions)MemberwiseClone();

    /// <summary>Length of the feature vector.</summary>
    internal int Dimension(VitOptions encoder) => encoder.EmbedDim * (Math.Min(LastBlocks, encoder.Depth) + (AppendPatchMean ? 1 : 0));

    /// <summary>Computes the features of normalised images, [B, 3, H, W] -> [B, D·(L + 1 or 0)].</summary>
    internal Tensor Forward(VisionTransformer model, Tensor images, Tensor? maskTokens)
    {
        using var scope = NewDisposeScope();
        var tokens = model.IntermediateTokens(images, Math.Max(1, LastBlocks), maskTokens);       // L of [B, 1 + R + N, D]
        var parts = LastBlocks == 0 ? [] : tokens.Select(t => t[.., 0]).ToList();
        if (AppendPatchMean) parts.Add(tokens[^1][.., model.PrefixTokens..].mean([1]));
        return cat(parts, dim: 1).MoveToOuterDisposeScope();
    }
}
