namespace MaskBias.MLNet.Vit;

/// <summary>How position embeddings are resampled, bicubically, for images of another size. Public encoders differ in it.</summary>
public enum PositionResampling
{
    /// <summary>By the scale (patches + 0.1)/M, which also sets the sampling points: DINO, and DINOv2 without registers.</summary>
    Offset,

    /// <summary>To the size, without antialiasing: MAE, and ViT and DINOv2 in Hugging Face's transformers.</summary>
    Size,

    /// <summary>To the size, antialiased: timm, and DINOv2 with registers.</summary>
    Antialiased,
}
