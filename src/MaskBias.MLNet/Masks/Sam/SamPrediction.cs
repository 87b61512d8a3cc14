namespace MaskBias.MLNet.Masks.Sam;

/// <summary>The masks that answer a prompt.</summary>
public sealed class SamPrediction
{
    internal SamPrediction(MaskSet masks, float[] predictedIou, float[][] logits) =>
        (Masks, PredictedIou, Logits) = (masks, predictedIou, logits);

    /// <summary>The masks, of the image's size.</summary>
    public MaskSet Masks { get; }

    /// <summary>Per mask, how well the model expects it to fit: an intersection over union.</summary>
    public IReadOnlyList<float> PredictedIou { get; }

    /// <summary>Per mask its logits before enlargement, row by row: a prompt to refine it (<see cref="SamPrompt.Mask"/>).</summary>
    public IReadOnlyList<float[]> Logits { get; }

    /// <summary>Index of the mask with the highest predicted IoU.</summary>
    public int Best => Enumerable.Range(0, PredictedIou.Count).MaxBy(k => PredictedIou[k]);
}
