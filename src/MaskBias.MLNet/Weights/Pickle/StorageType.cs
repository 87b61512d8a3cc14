using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>A kind of storage, such as <c>torch.FloatStorage</c>.</summary>
internal sealed record StorageType(ScalarType Elements);
