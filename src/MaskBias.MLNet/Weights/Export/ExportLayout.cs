namespace MaskBias.MLNet.Weights.Export;

/// <summary>Whose names and order an exported file has, so that their code reads it back.</summary>
public enum ExportLayout
{
    /// <summary>timm's ViT: a state dict, with a config.json as on the Hugging Face Hub beside it.</summary>
    Timm,

    /// <summary>DINO's training checkpoint: <c>teacher</c> with <c>backbone.*</c> and, where there is a head, <c>head.*</c>.</summary>
    Dino,

    /// <summary>MAE's checkpoint: <c>model</c> with the encoder and, where there is one, the decoder.</summary>
    Mae,
}
