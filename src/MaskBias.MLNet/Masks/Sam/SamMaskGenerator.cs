namespace MaskBias.MLNet.Masks.Sam;
/// <summary>x</summary>
public sealed class SamMaskGenerator;
