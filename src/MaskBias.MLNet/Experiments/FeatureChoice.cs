namespace MaskBias.MLNet.Experiments;

/// <summary>Which of an encoder's tokens are the features. All are taken of one pass over the images.</summary>
public enum FeatureChoice
{
    /// <summary>The last class token and the mean of the patch tokens: 2·D values.</summary>
    ClassTokenAndPatchMean,

    /// <summary>The last class token: D values.</summary>
    ClassToken,

    /// <summary>The class tokens of the last four blocks (DINO's probe of ViT-S): 4·D values.</summary>
    LastFourClassTokens,

    /// <summary>The mean of the patch tokens: D values.</summary>
    PatchMean,
}
