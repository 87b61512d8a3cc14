using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.FineTuning.SemiSupervised;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.RowMapping;
using MaskBias.MLNet.Vit;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MaskBias.MLNet.Catalog;

/// <summary>Classifiers of images on self-supervised encoders: what <c>ml.MulticlassClassification.Trainers</c> offers beside ML.NET's own.</summary>
public static class ImageClassifierTrainers
{
    /// <summary>Trains a linear layer on the features of an encoder, which stays as it is.</summary>
    /// <param name="trainers">ml.MulticlassClassification.Trainers.</param>
    /// <param name="encoder">Computes the features. Stays the caller's: it must live as long as what is built with it.</param>
    /// <param name="options">Columns and recipe, such as <see cref="LinearProbeOptions.Dino"/>; null for <see cref="LinearProbeOptions.Sweep"/>.</param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public static LinearProbeEstimator LinearProbe(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers trainers, VisionEncoder encoder, LinearProbeOptions? options = null) =>
        new(Environment(trainers), encoder, options ?? LinearProbeOptions.Sweep());

    /// <summary>Trains a linear layer on a column of features as a linear probe does.</summary>
    /// <param name="trainers">ml.MulticlassClassification.Trainers.</param>
    /// <param name="labelColumnName">The column of classes: a key.</param>
    /// <param name="featureColumnName">The column of features: a vector of Single.</param>
    public static FeatureProbeEstimator LinearProbe(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers trainers, string labelColumnName = "Label",
        string featureColumnName = "Features")
    {
        var options = LinearProbeOptions.Sweep();
        (options.LabelColumnName, options.FeatureColumnName) = (labelColumnName, featureColumnName);
        return LinearProbe(trainers, options);
    }

    /// <inheritdoc cref="LinearProbe(MulticlassClassificationCatalog.MulticlassClassificationTrainers, string, string)"/>
    /// <param name="trainers">ml.MulticlassClassification.Trainers.</param>
    /// <param name="options">Columns and recipe.</param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public static FeatureProbeEstimator LinearProbe(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers trainers, LinearProbeOptions options) =>
        new(Environment(trainers), options);

    /// <summary>Trains an encoder and a linear head on labelled images; the encoder that is given stays as it is.</summary>
    /// <param name="trainers">ml.MulticlassClassification.Trainers.</param>
    /// <param name="encoder">What training starts from.</param>
    /// <param name="options">Columns and recipe, such as <see cref="FineTuneOptions.Mae"/>; null for <see cref="FineTuneOptions.Dino"/>.</param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public static FineTuneEstimator FineTune(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers trainers, VisionEncoder encoder, FineTuneOptions? options = null) =>
        new(Environment(trainers), encoder, options ?? FineTuneOptions.Dino());

    /// <summary>Trains an encoder and a linear head on images of which few have a class; the encoder that is given stays as it is.</summary>
    /// <param name="trainers">ml.MulticlassClassification.Trainers.</param>
    /// <param name="encoder">What training starts from.</param>
    /// <param name="options">
    /// Columns and recipe, such as <see cref="SemiSupervisedOptions.Percent1"/>; null for <see cref="SemiSupervisedOptions.Percent10"/>.
    /// </param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public static SemiSupervisedEstimator SemiSupervised(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers trainers, VisionEncoder encoder,
        SemiSupervisedOptions? options = null) =>
        new(Environment(trainers), encoder, options ?? SemiSupervisedOptions.Percent10());

    private static IHostEnvironment Environment(MulticlassClassificationCatalog.MulticlassClassificationTrainers trainers)
    {
        ArgumentNullException.ThrowIfNull(trainers);
        return MlNetAccess.EnvironmentOf(trainers);
    }
}
