namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>The command line cannot be used as it is.</summary>
internal sealed class UsageException(string message) : Exception(message);
