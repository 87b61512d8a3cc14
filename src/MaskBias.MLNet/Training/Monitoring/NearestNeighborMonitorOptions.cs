using System.ComponentModel.DataAnnotations;

namespace MaskBias.MLNet.Training.Monitoring;

/// <summary>
/// Measures an encoder during its pretraining, as DINO is followed: some of the labelled images are classified by their nearest neighbours
/// among the others. The classes bear on nothing else, and what is measured changes nothing in the training.
/// </summary>
public sealed class NearestNeighborMonitorOptions
{
    /// <summary>The column of classes, text or a key. Rows whose class is missing are learned from, but not measured.</summary>
    /// <value>"Label".</value>
    [Required]
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>Epochs from one measure to the next; the last epoch is always measured.</summary>
    /// <value>10.</value>
    [Range(1, 1_000_000)]
    public int EveryEpochs { get; set; } = 10;

    /// <summary>Share of each class' images that is classified; the others are the neighbours.</summary>
    /// <value>0.2.</value>
    [Range(0.01, 0.9)]
    public double HeldOutFraction { get; set; } = 0.2;

    /// <summary>Images that are looked at, drawn from those with a class: what a measure costs is that of embedding them.</summary>
    /// <value>5,000.</value>
    [Range(4, 10_000_000)]
    public int MaxImages { get; set; } = 5000;

    /// <summary>Neighbours that vote; all when there are fewer.</summary>
    /// <value>20.</value>
    [Range(1, 1000)]
    public int K { get; set; } = 20;

    /// <summary>Temperature T: a neighbour of cosine similarity s votes with weight exp(s/T).</summary>
    /// <value>0.07.</value>
    [Range(0.001, 1000.0)]
    public double Temperature { get; set; } = 0.07;

    /// <summary>Whether the masks guide the encoder when it is measured; without them it is seen as a pipeline without masks would use it.</summary>
    /// <value>false.</value>
    public bool UseMasks { get; set; }

    internal NearestNeighborMonitorOptions Copy() => (NearestNeighborMonitorOptions)MemberwiseClone();
}
