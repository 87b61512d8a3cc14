namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary>A form to write an encoder in.</summary>
internal enum ExportFormat
{
    /// <summary>safetensors or .pth under timm's names.</summary>
    Timm,

    /// <summary>DINO's training checkpoint.</summary>
    Dino,

    /// <summary>MAE's checkpoint.</summary>
    Mae,

    /// <summary>An ONNX graph.</summary>
    Onnx,

    /// <summary>This library's own checkpoint, a folder or a .safetensors file.</summary>
    MaskBias,
}
