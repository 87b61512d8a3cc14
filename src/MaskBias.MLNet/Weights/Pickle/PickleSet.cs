namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>A pickled set; equal items are kept as often as they are written.</summary>
internal sealed record PickleSet(List<object?> Items);
