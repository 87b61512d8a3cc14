namespace MaskBias.MLNet.Vit;

/// <summary>How the final tokens become one feature vector.</summary>
public enum FeaturePooling
{
    /// <summary>The class token after the final normalisation (DINO).</summary>
    ClassToken,

    /// <summary>The mean of the patch tokens after the final normalisation.</summary>
    Mean,

    /// <summary>
    /// The mean of the patch tokens, which is then normalised (timm's "avg", the global pool that MAE is fine-tuned with): the tokens
    /// themselves are not.
    /// </summary>
    NormalizedMean,
}
