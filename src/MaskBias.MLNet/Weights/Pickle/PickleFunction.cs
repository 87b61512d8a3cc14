namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>A type or function that a pickle may name: what calling it makes is built here, and nothing of Python runs.</summary>
/// <param name="Name">Its name in Python.</param>
/// <param name="Call">Makes the value of the arguments.</param>
internal sealed record PickleFunction(string Name, Func<object?[], object?> Call);
