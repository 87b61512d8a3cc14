namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>Who wrote a checkpoint, as its names and shapes tell.</summary>
public enum CheckpointLayout
{
    /// <summary>This library: <see cref="EncoderCheckpoint.Save"/>.</summary>
    MaskBias,

    /// <summary>DINO: a backbone, or a training checkpoint with student, teacher and heads. Also plain ViT weights of unknown origin.</summary>
    Dino,

    /// <summary>DINOv2: a backbone, or a training checkpoint; with registers or without.</summary>
    DinoV2,

    /// <summary>MAE: the encoder alone, or with its decoder.</summary>
    Mae,

    /// <summary>timm's ViT and DeiT, and encoders that MAE's code has fine-tuned.</summary>
    Timm,

    /// <summary>ViT of Hugging Face's transformers.</summary>
    HuggingFaceVit,

    /// <summary>DINOv2 of Hugging Face's transformers; with registers or without.</summary>
    HuggingFaceDinoV2,
}
