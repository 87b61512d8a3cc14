namespace MaskBias.MLNet.Samples.Cli.Report.Data;

/// <summary>Images as an encoder sees them.</summary>
/// <param name="Name">What the encoder is called.</param>
/// <param name="Features">A row of unit length per image.</param>
internal sealed record ImageView(string Name, float[][] Features)
{
    public Similarities Similarities { get; } = new(Features);
}
