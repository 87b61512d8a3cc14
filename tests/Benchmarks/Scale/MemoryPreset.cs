using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Vit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks.Scale;

/// <summary>A recipe whose memory is measured.</summary>
/// <param name="Name">The method and the encoder.</param>
/// <param name="Images">Images of the smaller batch; the larger one has three times as many.</param>
/// <param name="Create">Makes it, with recomputed blocks or without.</param>
internal sealed record MemoryPreset(string Name, int Images, Func<bool, PresetTraining> Create)
{
    private const int Classes = 100, Masks = 16;
    private static readonly (int, int)[] OneView = [(1, 224)], MultiCrop = [(2, 224), (8, 96)];

    public static IReadOnlyList<MemoryPreset> All { get; } =
    [
        new("DINO ViT-S/16", 1, r => Dino(VitOptions.Small(), masks: 0, r)),
        new("DINO ViT-S/16, guided by masks", 1, r => Dino(VitOptions.Small(), Masks, r)),
        new("DINO ViT-B/16", 1, r => Dino(VitOptions.Base(), masks: 0, r)),
        new("MAE ViT-B/16", 2, r => Mae(VitOptions.Base(), masks: 0, r)),
        new("MAE ViT-B/16, guided by masks", 2, r => Mae(VitOptions.Base(), Masks, r)),
        new("distillation ViT-S/16", 1, Distillation),
        new("fine-tuning ViT-S/16", 2, r => FineTuning(VitOptions.Small(), FineTuneOptions.Dino(), r)),
        new("fine-tuning ViT-B/16", 2, r => FineTuning(VitOptions.Base(), FineTuneOptions.Mae(), r)),
    ];

    /// <summary>DINO of an encoder that takes no memory to speak of.</summary>
    public static PresetTraining Small(bool recompute) => Dino(new() { ImageSize = 224, EmbedDim = 24, Depth = 1, Heads = 3 }, masks: 1, recompute);

    private static PresetTraining Dino(VitOptions architecture, int masks, bool recompute)
    {
        var options = new DinoOptions { FreezeBiasEpochs = 0 };
        DinoBranch student = Branch(architecture, masks > 0, options.DropPath, recompute), teacher = Branch(architecture, masks > 0);
        var method = new DinoMethod(options, student, teacher, 1000, CPU);
        return new(method, MultiCrop, masks, method, student, teacher);
    }

    private static PresetTraining Mae(VitOptions architecture, int masks, bool recompute)
    {
        var options = new MaeOptions { Encoder = architecture, MaskColumnName = masks > 0 ? "Masks" : null, FreezeBiasEpochs = 0 };
        architecture = options.Architecture();
        var encoder = new VisionTransformer(architecture, 1) { RecomputesBlocks = recompute };
        var decoder = new MaeDecoder(architecture, options.Decoder, 1) { RecomputesBlocks = recompute };
        var method = new MaeMethod(options, encoder, decoder, 1);
        return new(method, OneView, masks, method, encoder, decoder);
    }

    private static PresetTraining Distillation(bool recompute)
    {
        var options = new DistillationOptions();
        DinoBranch student = Branch(VitOptions.Small(), isGuided: false, options.DropPath, recompute), teacher = Branch(VitOptions.Small(), isGuided: true);
        student.Train();
        teacher.Freeze();
        return new(new DistillationMethod(options, student, teacher), MultiCrop, Masks, student, teacher);
    }

    private static PresetTraining FineTuning(VitOptions architecture, FineTuneOptions options, bool recompute)
    {
        architecture.DropPath = options.DropPath;
        architecture.Pooling = options.Pooling ?? architecture.Pooling;
        var model = new FineTuneModel(new VisionTransformer(architecture, 1) { RecomputesBlocks = recompute }, Classes, CPU, 1);
        var method = new FineTuneMethod(
            options, model, null, new VisionEncoder(model.Backbone), [.. Enumerable.Range(0, Classes)], Classes, null, 1);
        return new(method, OneView, 0, model);
    }

    private static DinoBranch Branch(VitOptions sizes, bool isGuided, double dropPath = 0, bool recompute = false)
    {
        var options = sizes.Copy();
        (options.DropPath, options.MaskBias) = (dropPath, isGuided ? new() : null);
        return new(new VisionTransformer(options, 1) { RecomputesBlocks = recompute }, new DinoHead(options.EmbedDim, new(), 1));
    }
}
