using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>DINO's weighted nearest-neighbour classifier.</summary>
public sealed class NearestNeighborsOptions
{
    /// <summary>The column of features: a vector of Single of known size.</summary>
    /// <value>"Features".</value>
    [Required]
    public string FeatureColumnName { get; set; } = "Features";

    /// <summary>The column of classes: a key, as MapValueToKey makes it. Rows whose class is missing are left out.</summary>
    /// <value>"Label".</value>
    [Required]
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>Neighbours that vote; all rows when there are fewer.</summary>
    /// <value>20.</value>
    [Range(1, 1000)]
    public int K { get; set; } = 20;

    /// <summary>Temperature T: a neighbour of cosine similarity s votes with weight exp(s/T).</summary>
    /// <value>0.07.</value>
    [Range(0.001, 1000.0)]
    public double Temperature { get; set; } = 0.07;

    internal NearestNeighborsOptions Copy() => (NearestNeighborsOptions)MemberwiseClone();
}
