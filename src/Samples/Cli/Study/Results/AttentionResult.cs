namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>The share of the class token's attention, in the last block, that falls on the object of an image; means over images.</summary>
/// <param name="Images">How many.</param>
/// <param name="Area">Share of the patches that the objects cover: what attention without a preference would have.</param>
/// <param name="Untrained">Per head, of the same encoder with the weights that its method draws.</param>
/// <param name="Trained">Per head, seeing no masks.</param>
/// <param name="Guided">Per head, seeing the masks of its training; null for an encoder without a bias.</param>
internal sealed record AttentionResult(int Images, double Area, double[] Untrained, double[] Trained, double[]? Guided);
