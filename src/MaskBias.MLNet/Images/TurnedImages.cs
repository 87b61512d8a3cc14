namespace MaskBias.MLNet.Images;

/// <summary>
/// Counts images that their files hold turned: they are learned from upright, and a model takes pixels as they are stored, as ML.NET's
/// LoadImages does.
/// </summary>
internal sealed class TurnedImages
{
    private int count;

    /// <summary>Counts one; from any thread.</summary>
    public void Add() => Interlocked.Increment(ref count);

    /// <summary>Warns where there are any.</summary>
    /// <param name="all">Images that were looked at.</param>
    /// <param name="warn">Receives the warning.</param>
    public void Warn(int all, Action<string> warn)
    {
        if (count == 0) return;
        warn($"{count} of {all} images are stored turned. They are learned from upright, as their EXIF orientation says; the classifier, like "
            + "ML.NET's LoadImages, takes pixels as they are stored. Store photos upright, or serve the saved model with ApplyOrientation = true.");
    }
}
