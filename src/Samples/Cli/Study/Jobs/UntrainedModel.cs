using MaskBias.MLNet.Samples.Cli.Study.Plans;
using MaskBias.MLNet.Vit;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>What a cell's method begins with.</summary>
internal static class UntrainedModel
{
    /// <summary>Draws the weights.</summary>
    public static VisionTransformer Create(VitOptions options, StudyCell cell, int seed)
    {
        var model = new VisionTransformer(options, seed);
        if (cell.IsMae) model.InitializeAsMae();
        return model;
    }
}
