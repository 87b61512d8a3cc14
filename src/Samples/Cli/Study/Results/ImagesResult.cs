namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>The images of a study.</summary>
/// <param name="Classes">Names of the classes.</param>
/// <param name="Train">Number of labelled images to learn from.</param>
/// <param name="Extra">Number of images besides.</param>
/// <param name="Test">Names of the images that are measured on.</param>
/// <param name="Labels">Their classes.</param>
internal sealed record ImagesResult(IReadOnlyList<string> Classes, int Train, int Extra, IReadOnlyList<string> Test, int[] Labels);
