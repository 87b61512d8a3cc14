using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>What a public checkpoint does not say itself, and how to load it. Options that are null are found out.</summary>
public sealed class CheckpointLoadOptions
{
    /// <summary>The network to take from a checkpoint of DINO's or DINOv2's training.</summary>
    /// <value><see cref="CheckpointBranch.Teacher"/>.</value>
    public CheckpointBranch Branch { get; set; } = CheckpointBranch.Teacher;

    /// <summary>Number of attention heads, which no shape tells.</summary>
    /// <value>
    /// null: that of config.json; else 16 for a width of 1280, 1408 or 1664 (ViT-H, ViT-g, ViT-G), and one head per 64 channels for others.
    /// </value>
    [Range(1, 256)]
    public int? Heads { get; set; }

    /// <summary>The ε of every LayerNorm.</summary>
    /// <value>null: that of config.json; else 1e-12 for Hugging Face's ViT, and 1e-6 for others.</value>
    [Range(0.0, 1.0)]
    public double? NormEpsilon { get; set; }

    /// <summary>Number of attention heads of MAE's decoder.</summary>
    /// <value>null: 16 where that divides its width (He et al.); else one head per 32 channels.</value>
    [Range(1, 256)]
    public int? DecoderHeads { get; set; }

    /// <summary>How positions are resampled for images of another size.</summary>
    /// <value>null: as the code does that the checkpoint is from.</value>
    public PositionResampling? PositionResampling { get; set; }

    /// <summary>What the features are; MAE's files never say it.</summary>
    /// <value>
    /// null: <see cref="FeaturePooling.NormalizedMean"/> where the file has <c>fc_norm</c>; else that of timm's config.json; else
    /// <see cref="FeaturePooling.ClassToken"/>, which is then listed as assumed.
    /// </value>
    public FeaturePooling? Pooling { get; set; }

    /// <summary>Pixel statistics.</summary>
    /// <value>null: those of config.json or preprocessor_config.json beside the weights; else ImageNet's.</value>
    public ImageNormalization? Normalization { get; set; }

    /// <summary>Side in pixels of the images to use the encoder at; its position embedding is resampled once, on loading.</summary>
    /// <value>null: the checkpoint's.</value>
    [Range(8, 4096)]
    public int? ImageSize { get; set; }

    /// <summary>Side in pixels of a patch; the patch projection is resampled (<see cref="EncoderResizing"/>).</summary>
    /// <value>null: the checkpoint's.</value>
    [Range(1, 256)]
    public int? PatchSize { get; set; }
}
