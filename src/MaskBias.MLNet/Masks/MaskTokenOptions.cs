namespace MaskBias.MLNet.Masks;
/// <summary>Placeholder.</summary>
public sealed class MaskTokenOptions { }
