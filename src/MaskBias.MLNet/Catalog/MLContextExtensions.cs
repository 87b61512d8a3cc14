using Microsoft.ML;

namespace MaskBias.MLNet.Catalog;

/// <summary>The way from an <see cref="MLContext"/> to this library.</summary>
public static class MLContextExtensions
{
    /// <summary>Self-supervised learning of image encoders, and their use in pipelines.</summary>
    public static SelfSupervisedCatalog SelfSupervised(this MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(context);
    }
}
