namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>What an exported encoder gives. N patches, R registers, D channels, h heads.</summary>
[Flags]
public enum OnnxOutputs
{
    /// <summary>The feature vector, pooled as the encoder does: [batch, D].</summary>
    Features = 1,

    /// <summary>The class token: [batch, D].</summary>
    ClassToken = 2,

    /// <summary>The patch tokens, row by row: [batch, N, D].</summary>
    PatchTokens = 4,

    /// <summary>Self-attention of the last block: [batch, h, 1 + R + N, 1 + R + N].</summary>
    LastAttention = 8,
}
