namespace MaskBias.MLNet.Experiments.LabelEfficiency;

/// <summary>What is reached with a number of labels.</summary>
/// <param name="Fraction">Their share of all labels that may be learned from.</param>
/// <param name="Labels">Their number.</param>
/// <param name="Pretrained">Accuracy with the encoder, the mean over the draws.</param>
/// <param name="PretrainedDeviation">Its standard deviation over the draws; 0 for one draw.</param>
/// <param name="Random">Accuracy with an encoder of the same architecture that has learned nothing.</param>
/// <param name="RandomDeviation">Its standard deviation.</param>
public sealed record LabelEfficiencyPoint(
    double Fraction, int Labels, double Pretrained, double PretrainedDeviation, double Random, double RandomDeviation);
