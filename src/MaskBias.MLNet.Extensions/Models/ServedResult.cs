namespace MaskBias.MLNet.Extensions.Models;

/// <summary>What a model computed of one image.</summary>
internal sealed record ServedResult(string ModelId, float[] Features, ImageClass? Class);
