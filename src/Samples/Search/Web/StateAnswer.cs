using MaskBias.MLNet.Samples.Search.Training;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>What the page shows besides images.</summary>
/// <param name="Count">Images in the collection.</param>
/// <param name="Labels">Labels with their numbers of images, most used first.</param>
/// <param name="Classifier">"probe" where one was trained, "model" where the served model classifies, or null.</param>
/// <param name="Training">How the training stands.</param>
/// <param name="MaxUploadBytes">Larger files are refused.</param>
internal sealed record StateAnswer(
    int Count, IReadOnlyList<LabelCount> Labels, string? Classifier, TrainingState Training, int MaxUploadBytes);
