using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.FineTuning.SemiSupervised;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.NearestNeighbors;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>The library's options that a plan asks for.</summary>
internal static class PlanOptions
{
    /// <summary>The column of masks.</summary>
    public const string MaskColumn = "Masks";

    // A study sets these itself: the budget and the seeds are the same for all cells, and the rest bears on no result.
    private static readonly string[] Owned =
    [
        "ImageColumnName", "MaskColumnName", "LabelColumnName", "FeatureColumnName", "LabelFraction", "LabelSubsetPath", "Epochs", "Seed",
        "Device", "Distributed", "DistributedTimeoutSeconds", "Output", "NearestNeighborMonitor", "Encoder.MaskBias", "Encoder.DropPath",
        "Student.MaskBias",
    ];

    // What may be set, and makes no other run of it.
    private static readonly string[] Free = ["ImageCacheMegabytes", "LoaderThreads"];

    // The epochs of classifiers are no budget.
    private static readonly string[] OwnedByClassifiers =
    [
        .. Owned.Except(["Epochs"]), "Supervised.LabelFraction", "Supervised.LabelSubsetPath", "Supervised.Seed", "Supervised.Device",
        "Supervised.Output",
    ];

    private static readonly Lazy<OptionSet<VitOptions>> Vit = new(() => new("MaskBias", "DropPath"));
    private static readonly Lazy<OptionSet<DinoOptions>> DinoSet = new(() => new(Owned));
    private static readonly Lazy<OptionSet<MaeOptions>> MaeSet = new(() => new([.. Owned, "Encoder.Positions", "Encoder.Pooling"]));
    private static readonly Lazy<OptionSet<DistillationOptions>> DistillationSet = new(() => new(Owned));
    private static readonly Lazy<OptionSet<FineTuneOptions>> SupervisedSet = new(() => new(Owned));
    private static readonly Lazy<OptionSet<NearestNeighborsOptions>> NeighborsSet = new(() => new(OwnedByClassifiers));
    private static readonly Lazy<OptionSet<LinearProbeOptions>> ProbeSet = new(() => new([.. OwnedByClassifiers, "Augmentation", "Features", "Masks"]));
    private static readonly Lazy<OptionSet<FineTuneOptions>> FineTuneSet = new(() => new(OwnedByClassifiers));
    private static readonly Lazy<OptionSet<SemiSupervisedOptions>> SemiSet = new(() => new(OwnedByClassifiers));

    /// <summary>The encoder that all cells have.</summary>
    public static VitOptions Encoder(StudyPlan plan, Action<string>? fault = null)
    {
        var encoder = new VitOptions();
        Vit.Value.Apply(encoder, plan.Options["Encoder"], "Encoder", Or(fault));
        return encoder;
    }

    /// <summary>The architecture of a cell, whose options may differ from the plan's.</summary>
    public static VitOptions Encoder(StudyPlan plan, StudyCell cell)
    {
        if (cell.Method == StudyMethod.Dino) return Dino(plan, cell, 1, 2).Encoder;
        if (!cell.IsMae) return Encoder(plan);
        var mae = Mae(plan, cell, 1, 2);
        (mae.Encoder.Positions, mae.Encoder.Pooling) = (mae.Positions, mae.Pooling);
        return mae.Encoder;
    }

    /// <summary>DINO as a cell has it.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="cell">The cell.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="images">Images to learn from.</param>
    /// <param name="fault">Is told of what cannot be; null to throw it.</param>
    public static DinoOptions Dino(StudyPlan plan, StudyCell cell, int seed, int images, Action<string>? fault = null)
    {
        var options = new DinoOptions { Encoder = Encoder(plan, fault) };
        Apply(DinoSet.Value, options, plan, cell, nameof(Dino), fault);
        Finish(options, cell, seed, Epochs(plan.ImagesSeen, images));
        if (cell.FreezeBias is { } share) options.FreezeBiasEpochs = Frozen(share, options.Epochs);
        return options;
    }

    /// <summary>MAE as a cell has it.</summary>
    /// <inheritdoc cref="Dino"/>
    public static MaeOptions Mae(StudyPlan plan, StudyCell cell, int seed, int images, Action<string>? fault = null)
    {
        var options = new MaeOptions { Encoder = Encoder(plan, fault) };
        Apply(MaeSet.Value, options, plan, cell, nameof(Mae), fault);
        Finish(options, cell, seed, Epochs(plan.ImagesSeen, images));
        if (cell.FreezeBias is { } share) options.FreezeBiasEpochs = Frozen(share, options.Epochs);
        return options;
    }

    /// <summary>The distillation of a cell.</summary>
    /// <inheritdoc cref="Dino"/>
    public static DistillationOptions Distillation(StudyPlan plan, StudyCell cell, int seed, int images, Action<string>? fault = null)
    {
        var options = cell.IsMae ? DistillationOptions.Mae() : new();
        // The teacher sees the masks that it was trained with.
        options.Masks = cell.IsMae ? Mae(plan, cell, seed, images, fault).Masks : Dino(plan, cell, seed, images, fault).Masks;
        DistillationSet.Value.Apply(options, plan.Options["Distillation"], "Distillation", Or(fault));
        DistillationSet.Value.Apply(options, cell.Distillation, $"Cell '{cell.Name}': Distillation", Or(fault));
        Finish(options, cell, seed, Epochs(plan.DistillationImagesSeen, images));
        return options;
    }

    /// <summary>Training from scratch on a share of the labels: as fine-tuning, but all layers learn alike.</summary>
    public static FineTuneOptions Supervised(StudyPlan plan, StudyCell cell, int seed, int images, Action<string>? fault = null)
    {
        var options = new FineTuneOptions { LayerDecay = 1, LearningRate = 5e-4, Seed = seed };
        SupervisedSet.Value.Apply(options, plan.Options["Supervised"], "Supervised", Or(fault));
        SupervisedSet.Value.Apply(options, cell.Options, $"Cell '{cell.Name}': Options", Or(fault));
        // The last batch of an epoch is left out where it is not whole; of few images that would be a large part.
        int batch = Math.Clamp(options.BatchSize, 1, Math.Max(1, images));
        options.Epochs = Epochs(plan.ImagesSeen, images / batch * batch);
        return options;
    }

    /// <summary>Nearest neighbours.</summary>
    public static NearestNeighborsOptions Neighbors(StudyMeasure measure, Action<string>? fault = null) =>
        Measured(NeighborsSet.Value, new(), measure, fault);

    /// <summary>The linear probe.</summary>
    public static LinearProbeOptions Probe(StudyMeasure measure, int seed, Action<string>? fault = null)
    {
        var options = LinearProbeOptions.Sweep();
        options.Seed = seed;
        return Measured(ProbeSet.Value, options, measure, fault);
    }

    /// <summary>Fine-tuning: the recipe of the method for all labels, Semi-ViT's for few.</summary>
    public static FineTuneOptions FineTune(StudyMeasure measure, bool isMae, double fraction, int seed,
        Action<string>? fault = null)
    {
        var options = fraction < 1 ? FineTuneOptions.FewShot(fraction)
            : isMae ? FineTuneOptions.Mae() : FineTuneOptions.Dino();
        options.Seed = seed;
        return Measured(FineTuneSet.Value, options, measure, fault);
    }

    /// <summary>Semi-supervised training.</summary>
    public static SemiSupervisedOptions SemiSupervised(StudyMeasure measure, double fraction, int seed, Action<string>? fault = null)
    {
        var options = fraction < 0.05 ? SemiSupervisedOptions.Percent1() : SemiSupervisedOptions.Percent10();
        options.Supervised.Seed = seed;
        return Measured(SemiSet.Value, options, measure, fault);
    }

    /// <summary>Names and values of all options that bear on a result.</summary>
    public static IReadOnlyList<(string Name, string Value)> Values(object options) => [.. (options switch
    {
        DinoOptions dino => DinoSet.Value.Values(dino),
        MaeOptions mae => MaeSet.Value.Values(mae),
        DistillationOptions distillation => DistillationSet.Value.Values(distillation),
        FineTuneOptions tuning => FineTuneSet.Value.Values(tuning),
        LinearProbeOptions probe => ProbeSet.Value.Values(probe),
        NearestNeighborsOptions neighbors => NeighborsSet.Value.Values(neighbors),
        SemiSupervisedOptions semi => SemiSet.Value.Values(semi),
        VitOptions encoder => Vit.Value.Values(encoder),
        _ => throw new ArgumentException($"{options.GetType().Name} are no options of a study."),
    }).Where(o => !Free.Contains(o.Name.Split('.')[^1]))];

    /// <summary>Everything that the library would refuse.</summary>
    public static IEnumerable<string> Faults(StudyPlan plan)
    {
        var faults = new List<string>();
        var ml = new MLContext(seed: 1);
        var encoder = Encoder(plan, faults.Add);
        if (faults.Count > 0) return faults;
        int images = plan.Data.Images ?? 1000;
        var trials = plan.Search is not { } search ? [] : search.Sets.Select(set => SearchCell(search, set.Name)).ToList();
        foreach (var cell in plan.Cells.Concat(trials))
        {
            if (cell.Method == StudyMethod.Dino) Check(cell.Name, () => ml.SelfSupervised().Dino(Dino(plan, cell, 1, images, faults.Add)));
            if (cell.IsMae) Check(cell.Name, () => ml.SelfSupervised().Mae(Mae(plan, cell, 1, images, faults.Add)));
        }
        if (faults.Count > 0) return faults;                       // what stands in for a teacher needs sizes that can be
        using var teacher = StandIn(encoder);
        foreach (var cell in plan.Cells)
        {
            if (cell.Distilled)
                Check(cell.Name, () => ml.SelfSupervised().Distill(teacher, Distillation(plan, cell, 1, images, faults.Add)));
            if (cell.Method == StudyMethod.Supervised)
                Check(cell.Name, () => ml.MulticlassClassification.Trainers.FineTune(teacher,
                    Supervised(plan, cell, 1, images, faults.Add)));
        }
        foreach (var measure in plan.Measures)
        {
            foreach (double fraction in measure.Fractions)
            {
                Check(StudyMeasure.Name(measure.Kind, fraction), () => measure.Kind switch
                {
                    StudyMeasureKind.NearestNeighbors => ml.SelfSupervised().NearestNeighbors(Neighbors(measure, faults.Add)),
                    StudyMeasureKind.LinearProbe => ml.MulticlassClassification.Trainers.LinearProbe(Probe(measure, 1, faults.Add)),
                    StudyMeasureKind.FineTune => ml.MulticlassClassification.Trainers.FineTune(teacher,
                        FineTune(measure, isMae: false, fraction, 1, faults.Add)),
                    _ => (object)ml.MulticlassClassification.Trainers.SemiSupervised(teacher,
                        SemiSupervised(measure, fraction, 1, faults.Add)),
                });
            }
        }
        return faults;

        void Check(string name, Func<object> create)
        {
            try
            {
                _ = create();
            }
            catch (ArgumentException e)
            {
                // The first line only names the class where the faults are listed.
                string[] lines = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
                faults.AddRange(lines.Skip(lines.Length > 1 ? 1 : 0).Select(line => $"'{name}': {line.TrimStart('-', ' ')}"));
            }
        }
    }

    /// <summary>A set of the search as a plain cell.</summary>
    public static StudyCell SearchCell(StudySearch search, string set) => new()
    {
        Name = set, Method = search.Method, Fractions = [1], Distillation = [], Options = search.Sets.First(s => s.Name == set).Options,
    };

    /// <summary>Epochs that a budget makes.</summary>
    public static int Epochs(long seen, int images) => (int)Math.Clamp(Math.Round((double)seen / Math.Max(1, images)), 1, 1_000_000);

    private static int Frozen(double share, int epochs) => share >= 1 ? int.MaxValue : (int)Math.Round(share * epochs);

    private static void Apply<T>(OptionSet<T> set, T options, StudyPlan plan, StudyCell cell, string part, Action<string>? fault)
        where T : class, new()
    {
        set.Apply(options, plan.Options[part], part, Or(fault));
        if (plan.Search is { Chosen: { } chosen } search && search.Method.ToString() == part
            && !search.Sets.Any(s => ReferenceEquals(s.Options, cell.Options)))
            set.Apply(options, search.Sets.First(s => s.Name == chosen).Options, $"Search.Sets.{chosen}", Or(fault));
        set.Apply(options, cell.Options, $"Cell '{cell.Name}': Options", Or(fault));
    }

    private static T Measured<T>(OptionSet<T> set, T options, StudyMeasure measure, Action<string>? fault) where T : class, new()
    {
        set.Apply(options, measure.Options, $"{measure.Kind}: Options", Or(fault));
        return options;
    }

    private static void Finish(PretrainingOptions options, StudyCell cell, int seed, int epochs)
    {
        (options.Epochs, options.Seed, options.Device) = (epochs, seed, ComputeDevice.Auto);
        options.MaskColumnName = cell.Masks is null ? null : MaskColumn;
    }

    // A small encoder of the same sizes of image and patch, on which options that belong to an encoder can be checked.
    private static VisionEncoder StandIn(VitOptions encoder)
    {
        var sizes = new VitOptions
        {
            ImageSize = encoder.ImageSize, PatchSize = encoder.PatchSize, EmbedDim = 8, Depth = 1, Heads = 1, MaskBias = new(),
        };
        return new(new VisionTransformer(sizes), new DinoHead(8, new() { OutDim = 8, HiddenDim = 8, BottleneckDim = 8 }));
    }

    private static Action<string> Or(Action<string>? fault) => fault ?? (text => throw new UsageException(text));
}
