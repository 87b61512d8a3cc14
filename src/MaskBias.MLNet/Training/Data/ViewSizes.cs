using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Training.Data;

/// <summary>The sides in pixels of global and local views for an encoder.</summary>
/// <param name="Options">How many views there are, and what they show.</param>
/// <param name="Global">Side of a global view.</param>
/// <param name="Local">Side of a local view.</param>
/// <param name="Patch">Side of the patches that mask token vectors are of.</param>
/// <param name="MasksLocalViews">Whether the local views have mask token vectors too.</param>
internal sealed record ViewSizes(MultiCropOptions Options, int Global, int Local, int Patch, bool MasksLocalViews = true)
{
    // 96 of 224 in the DINO reference
    private const double LocalShare = 3.0 / 7;

    /// <summary>
    /// Short side in pixels of an image of which every view shows all that there is: the smallest square crop has as many pixels as its view.
    /// </summary>
    public int KeptSide => (int)Math.Ceiling(Math.Max(
        Global / Math.Sqrt(Options.GlobalMinScale), Options.LocalViews == 0 ? 0 : Local / Math.Sqrt(Options.LocalMinScale)));

    /// <summary>Views that have mask token vectors, the first ones.</summary>
    public int MaskedViews => Options.GlobalViews + (MasksLocalViews ? Options.LocalViews : 0);

    /// <exception cref="ArgumentException">A size is not a whole number of patches.</exception>
    public static ViewSizes For(MultiCropOptions options, VitOptions encoder)
    {
        int patch = encoder.PatchSize;
        int global = options.GlobalSize ?? encoder.ImageSize;
        int local = options.LocalSize ?? Math.Max(1, (int)Math.Round(global * LocalShare / patch)) * patch;
        foreach (var (name, size) in new[] { (nameof(options.GlobalSize), global), (nameof(options.LocalSize), local) })
        {
            if (name == nameof(options.LocalSize) && options.LocalViews == 0) continue;
            if (size < patch || size % patch != 0)
                throw new ArgumentException($"Views.{name} is {size}; it must be a multiple of the encoder's PatchSize {patch}.");
        }
        return new(options, global, local, patch);
    }
}
