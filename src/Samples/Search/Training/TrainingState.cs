namespace MaskBias.MLNet.Samples.Search.Training;

/// <summary>How the training of the probe stands, as the page shows it.</summary>
/// <param name="Status">Idle, Running, Done, Cancelled or Failed.</param>
/// <param name="Progress">Share that is done, in [0, 1].</param>
/// <param name="Images">Labelled images that it learns from.</param>
/// <param name="Classes">Their labels.</param>
/// <param name="Accuracy">
/// Share of the images that it classifies as their label says when they are held out; null before the last training, and where no label has two.
/// </param>
/// <param name="Seconds">How long it has taken.</param>
/// <param name="Error">Why it failed, or null.</param>
internal sealed record TrainingState(
    TrainingStatus Status, double Progress = 0, int Images = 0, int Classes = 0, double? Accuracy = null, double Seconds = 0,
    string? Error = null);
