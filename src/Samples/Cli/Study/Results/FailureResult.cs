namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>A job that failed; it is tried again by the next command.</summary>
internal sealed record FailureResult(string Job, string Type, string Message, DateTime Time);
