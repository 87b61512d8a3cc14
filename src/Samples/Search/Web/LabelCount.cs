namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>A label with the number of its images.</summary>
internal sealed record LabelCount(string Label, int Count);
