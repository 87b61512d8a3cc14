using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace MaskBias.MLNet.RowMapping;

/// <summary>
/// Three constructors that ML.NET keeps internal and that an estimator outside of its assemblies needs, two properties by which a trainer
/// catalog knows its environment, and the method by which Microsoft.ML.AutoML stops a trial. All their types are public. Bound by signature
/// to ML.NET 5.0.x, the range this library is tested with; another release may throw <see cref="MissingMethodException"/> here.
/// </summary>
internal static class MlNetAccess
{
    /// <summary>A column of the shape that an estimator promises.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    public static extern SchemaShape.Column NewColumn(
        string name, SchemaShape.Column.VectorKind kind, DataViewType itemType, bool isKey, SchemaShape? annotations = null);

    /// <summary>A linear softmax classifier with the given weights: one vector and one bias per class.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    public static extern MaximumEntropyModelParameters NewMaximumEntropy(
        IHostEnvironment environment, VBuffer<float>[] weights, float[] biases, int numClasses, int numFeatures, string[]? labelNames,
        ModelStatisticsBase? statistics);

    /// <summary>The transformer that applies a multiclass model: it adds Score and PredictedLabel, and is saved natively.</summary>
    public static MulticlassPredictionTransformer<MaximumEntropyModelParameters> NewMulticlassTransformer(
        IHostEnvironment environment, MaximumEntropyModelParameters model, DataViewSchema inputSchema,
        string featureColumnName, string labelColumnName,
        string scoreColumnName = "Score", string predictedLabelColumnName = "PredictedLabel") =>
        Multiclass<MaximumEntropyModelParameters>.New(
            environment, model, inputSchema, featureColumnName, labelColumnName, scoreColumnName, predictedLabelColumnName);

    /// <summary>The environment of the MLContext that a catalog of trainers belongs to.</summary>
    public static IHostEnvironment EnvironmentOf(TrainCatalogBase.CatalogInstantiatorBase trainers) => Environment(Owner(trainers));

    /// <summary>Stops what the context's trainers are doing: they look for it between their steps.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    public static extern void CancelExecution(MLContext context);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Owner")]
    private static extern TrainCatalogBase Owner(TrainCatalogBase.CatalogInstantiatorBase trainers);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Environment")]
    private static extern IHostEnvironment Environment(TrainCatalogBase catalog);

    // An accessor's type parameters must be those of its class.
    private static class Multiclass<T> where T : class
    {
        [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
        public static extern MulticlassPredictionTransformer<T> New(
            IHostEnvironment environment, T model, DataViewSchema inputSchema,
            string featureColumn, string labelColumn, string scoreColumn, string predictedLabel);
    }
}
