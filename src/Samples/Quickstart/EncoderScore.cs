namespace MaskBias.MLNet.Samples.Quickstart;

/// <summary>How well an encoder's features tell the held-out images' classes, in [0, 1].</summary>
/// <param name="Encoder">Which encoder.</param>
/// <param name="NearestNeighbors">Accuracy of k-NN on the features; null where it was not measured.</param>
/// <param name="Linear">Accuracy of a linear classifier on the features; null where it was not measured.</param>
internal sealed record EncoderScore(string Encoder, double? NearestNeighbors, double? Linear);
