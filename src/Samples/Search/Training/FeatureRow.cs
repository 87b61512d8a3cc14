namespace MaskBias.MLNet.Samples.Search.Training;

/// <summary>An embedding with its label, as ML.NET reads it.</summary>
internal sealed class FeatureRow
{
    public float[] Features { get; set; } = [];

    public string Label { get; set; } = "";
}
