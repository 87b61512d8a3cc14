using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Experiments;
using MaskBias.MLNet.Experiments.LabelEfficiency;
using MaskBias.MLNet.Pretraining;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Masks.Segmentation;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Catalog;

/// <summary>
/// Self-supervised learning of image encoders, and their use in ML.NET pipelines: what <c>ml.SelfSupervised()</c> offers.
/// </summary>
public sealed class SelfSupervisedCatalog
{
    internal SelfSupervisedCatalog(MLContext context) => Context = context;

    internal MLContext Context { get; }

    /// <summary>Adds the feature vectors of images.</summary>
    /// <param name="outputColumnName">The column to add: a vector of Single, as long as the encoder's features.</param>
    /// <param name="inputColumnName">The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</param>
    /// <param name="encoder">Computes the features. Stays the caller's: it must live as long as what is built with it.</param>
    public ImageEmbeddingEstimator EmbedImages(string outputColumnName, string inputColumnName, VisionEncoder encoder) =>
        EmbedImages(encoder, new() { OutputColumnName = outputColumnName, InputColumnName = inputColumnName });

    /// <summary>Adds the feature vectors of images.</summary>
    /// <param name="encoder">Computes the features. Stays the caller's: it must live as long as what is built with it.</param>
    /// <param name="options">Columns and batches.</param>
    /// <exception cref="ArgumentException">An option is out of range, or masks are given to an encoder that takes none.</exception>
    public ImageEmbeddingEstimator EmbedImages(VisionEncoder encoder, ImageEmbeddingOptions options) =>
        new(Context, encoder, options);

    /// <summary>Pretrains an encoder with DINO, guided by masks where the options name a column of them.</summary>
    /// <param name="options">Data, encoder and recipe; the defaults are the paper's.</param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public DinoEstimator Dino(DinoOptions options) => new(Context, options);

    /// <summary>Pretrains an encoder as a masked autoencoder with the paper's settings, guided by masks if there are any.</summary>
    /// <param name="imageColumnName">The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</param>
    /// <param name="maskColumnName">The column of encoded masks, or null to learn without masks.</param>
    public MaeEstimator Mae(string imageColumnName = "ImagePath", string? maskColumnName = null) =>
        Mae(new MaeOptions { ImageColumnName = imageColumnName, MaskColumnName = maskColumnName });

    /// <summary>Pretrains an encoder as a masked autoencoder, guided by masks where the options name a column of them.</summary>
    /// <param name="options">Data, encoder, decoder and recipe; the defaults are the paper's.</param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public MaeEstimator Mae(MaeOptions options) => new(Context, options);

    /// <summary>Distils an encoder, mask-guided or not, into a plain one that takes no masks.</summary>
    /// <param name="teacher">
    /// The encoder; it stays as it is. One with a projection head (DINO) teaches its distribution over the prototypes (Eq. 4), one without
    /// (MAE) its features.
    /// </param>
    /// <param name="options">Data, student and recipe.</param>
    /// <exception cref="ArgumentException">Options are out of range, or the teacher cannot be distilled.</exception>
    public DistillationEstimator Distill(VisionEncoder teacher, DistillationOptions options) => new(Context, teacher, options);

    /// <inheritdoc cref="Distill(VisionEncoder, DistillationOptions)"/>
    public DistillationEstimator Distill(PretrainedTransformer teacher, DistillationOptions options)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        return new(Context, teacher.Encoder, options);
    }

    /// <summary>Classifies features by their nearest training rows, as DINO evaluates an encoder.</summary>
    /// <param name="labelColumnName">The column of classes: a key.</param>
    /// <param name="featureColumnName">The column of features: a vector of Single.</param>
    /// <param name="k">Neighbours that vote.</param>
    public NearestNeighborsEstimator NearestNeighbors(string labelColumnName = "Label", string featureColumnName = "Features", int k = 20) =>
        NearestNeighbors(new() { LabelColumnName = labelColumnName, FeatureColumnName = featureColumnName, K = k });

    /// <summary>Classifies features by their nearest training rows, as DINO evaluates an encoder.</summary>
    /// <param name="options">Columns, number of neighbours and temperature.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public NearestNeighborsEstimator NearestNeighbors(NearestNeighborsOptions options) => new(options);

    /// <summary>Adds the masks of images, found by the built-in multi-scale segmenter; it needs no weights.</summary>
    /// <param name="outputColumnName">The column to add: a vector of Byte, the encoded <see cref="MaskSet"/> of the image.</param>
    /// <param name="inputColumnName">The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</param>
    /// <remarks>Computed anew whenever the rows are read: cache the view (<c>ml.Data.Cache</c>) when several trainings read it.</remarks>
    public SegmentImagesEstimator SegmentImages(string outputColumnName = "Masks", string inputColumnName = "ImagePath") =>
        SegmentImages(new() { OutputColumnName = outputColumnName, InputColumnName = inputColumnName });

    /// <inheritdoc cref="SegmentImages(string, string)"/>
    /// <param name="options">Columns and segmenter.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public SegmentImagesEstimator SegmentImages(SegmentImagesOptions options)
    {
        var segmenter = new GraphSegmenter(OptionsValidator.Validate(options).Segmenter);
        return new(options, image => segmenter.Segment(image.Pixels, image.Height, image.Width).Encode());
    }

    /// <summary>Adds the masks of images from files: SA-1B and COCO JSON, panoptic PNGs, label maps or folders of binary PNGs.</summary>
    /// <param name="outputColumnName">The column to add: a vector of Byte, the encoded <see cref="MaskSet"/> of the image.</param>
    /// <param name="inputColumnName">The column that holds the images' paths: Text.</param>
    /// <param name="path">A folder with a file or folder per image, or a file that tells of all images.</param>
    /// <param name="format">How the masks are stored; recognised where it is not given.</param>
    /// <remarks>
    /// In a folder, an image's masks are found by the longest tail of the image's path that exists there with the extension .json or .png;
    /// in a file of COCO, by the longest tail that is a file_name.
    /// </remarks>
    public LoadMasksEstimator LoadMasks(string outputColumnName, string inputColumnName, string path, MaskFileFormat format = MaskFileFormat.Auto) =>
        LoadMasks(new() { OutputColumnName = outputColumnName, InputColumnName = inputColumnName, Path = path, Format = format });

    /// <inheritdoc cref="LoadMasks(string, string, string, MaskFileFormat)"/>
    /// <param name="options">Columns, place and format.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public LoadMasksEstimator LoadMasks(LoadMasksOptions options) => new(options);

    /// <summary>Adds the masks that Segment Anything finds in images.</summary>
    /// <param name="outputColumnName">The column to add: a vector of Byte, the encoded <see cref="MaskSet"/> of the image.</param>
    /// <param name="inputColumnName">The column to read images from: Text (a path), a vector of Byte (an encoded file) or Image.</param>
    /// <param name="checkpointPath">The model: <c>sam_vit_b</c>, <c>l</c> or <c>h</c> as published, or as safetensors.</param>
    /// <param name="generator">How masks are found and filtered; null for the published settings.</param>
    /// <param name="storeFolder">Where the masks are kept, so that a later run reads them; null to keep none.</param>
    public SamMasksEstimator SamMasks(string outputColumnName, string inputColumnName, string checkpointPath,
        SamMaskGeneratorOptions? generator = null, string? storeFolder = null) => SamMasks(new()
        {
            OutputColumnName = outputColumnName, InputColumnName = inputColumnName, CheckpointPath = checkpointPath,
            Generator = generator ?? new(), StoreFolder = storeFolder,
        });

    /// <summary>Adds the masks that Segment Anything finds in images.</summary>
    /// <param name="options">Model, columns, generator and store.</param>
    /// <exception cref="ArgumentException">Options are out of range; all of them are listed.</exception>
    public SamMasksEstimator SamMasks(SamMasksOptions options) => new(Context, options);

    /// <summary>Looks for the best classifier of labelled images on one or more encoders, within a budget.</summary>
    /// <param name="settings">Columns, candidates, budget and metric; a budget must be set.</param>
    /// <exception cref="ArgumentException">
    /// Settings are out of range, or name a candidate that is not there; all faults are listed.
    /// </exception>
    public Experiment CreateClassificationExperiment(ClassificationExperimentSettings settings) => new(Context, settings);

    /// <summary>Looks for the best regression of a number on images with one or more encoders, within a budget.</summary>
    /// <inheritdoc cref="CreateClassificationExperiment"/>
    public Experiment CreateRegressionExperiment(RegressionExperimentSettings settings) => new(Context, settings);

    /// <summary>
    /// Measures a classifier on growing shares of the labels, on the features of an encoder and of one of the same architecture that has
    /// learned nothing: whether pretraining pays on these images.
    /// </summary>
    /// <param name="data">Rows with images and classes.</param>
    /// <param name="encoder">The encoder; it stays its caller's and as it is.</param>
    /// <param name="options">
    /// Columns, shares, and what learns; null for a logistic regression on 1, 5, 10, 25 and 100% of the labels.
    /// </param>
    /// <exception cref="ArgumentException">
    /// Options are out of range, a column is missing or of the wrong type, or the rows are too few or all alike.
    /// </exception>
    public LabelEfficiencyReport MeasureLabelEfficiency(IDataView data, VisionEncoder encoder, LabelEfficiencyOptions? options = null) =>
        LabelEfficiencyRun.Measure(Context, data, encoder, options ?? new());
}
