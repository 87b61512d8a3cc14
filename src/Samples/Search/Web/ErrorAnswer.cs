namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>The body of an answer that is a fault.</summary>
internal sealed record ErrorAnswer(string Error);
