using MaskBias.MLNet.Distillation;
using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.FineTuning;
using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Pretraining.Dino;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.RankPrograms;

/// <summary>Small models of every method that can be spread over ranks, with everything that is drawn at random switched on.</summary>
internal static class Methods
{
    private const int Classes = 4;

    public static (string Name, Func<ScalarType, RankedMethod> Create)[] All { get; } =
    [
        ("dino", Dino), ("mae", type => Mae(type, parts: 1)), ("mae-in-parts", type => Mae(type, parts: 2)), ("distillation", Distillation),
        ("feature-distillation", FeatureDistillation), ("probe", Probe), ("fine-tune", FineTune),
    ];

    private static RankedMethod Dino(ScalarType type)
    {
        var options = new DinoOptions { FreezeBiasEpochs = 1, FreezeLastLayerEpochs = 1, WarmupTeacherTemperatureEpochs = 1 };
        DinoBranch student = Branch(type, dropPath: 0.3), teacher = Branch(type, dropPath: 0);
        var method = new DinoMethod(options, student, teacher, RankedMethod.Epochs * RankedMethod.StepsPerEpoch, CPU);
        return new RankedMethodOf<ViewBatch>(Plan(clip: 0.3), method, (i, own) => Views(i, own, type, local: true), null, method, student, teacher);
    }

    private static RankedMethod Mae(ScalarType type, int parts)
    {
        var options = new MaeOptions { Encoder = Encoder(dropPath: 0.2, masks: true), FreezeBiasEpochs = 1 };
        var encoder = VisionTransformer.CreateAsMae(options.Encoder, seed: 1);
        var decoder = new MaeDecoder(options.Encoder, new() { EmbedDim = 12, Depth = 1, Heads = 3 }, seed: 1);
        encoder.to(type);
        decoder.to(type);
        var method = new MaeMethod(options, encoder, decoder, seed: 2);
        return new RankedMethodOf<ViewBatch>(
            Plan(parts), method, (i, own) => Views(i, own, type, views: 1), null, method, encoder, decoder);
    }

    private static RankedMethod Distillation(ScalarType type)
    {
        DinoBranch student = Branch(type, dropPath: 0.3, masks: false), teacher = Branch(type, dropPath: 0);
        teacher.Freeze();
        student.Train();
        var method = new DistillationMethod(new(), student, teacher);
        return new RankedMethodOf<ViewBatch>(Plan(clip: 0.3), method, (i, own) => Views(i, own, type, local: true), null, method, student, teacher);
    }

    private static RankedMethod FeatureDistillation(ScalarType type)
    {
        var student = new VisionTransformer(Encoder(dropPath: 0.3, masks: false), seed: 1);
        var teacher = new VisionTransformer(Encoder(dropPath: 0, masks: true), seed: 2);
        foreach (var parameter in teacher.parameters()) parameter.requires_grad = false;
        student.to(type);
        teacher.to(type);
        student.train();
        teacher.eval();
        var method = new FeatureDistillationMethod(student, teacher, seed: 1, CPU);
        return new RankedMethodOf<ViewBatch>(Plan(), method, (i, own) => Views(i, own, type), null, method, student, teacher);
    }

    private static RankedMethod Probe(ScalarType type)
    {
        const int Dimension = 12;
        var heads = new LinearHeads(heads: 2, Classes, Dimension, normalizes: true, CPU, seed: 1, type);
        var weights = tensor(new[] { 1f, 2, 0.5f, 1 });
        return new RankedMethodOf<FeatureBatch>(Plan(), new ProbeMethod(heads, weights), Batch,
            () => new StackedMomentum([heads.Weight, heads.Bias], [1f, 10], [1f, 1], 0.9, 0.5), heads, weights);

        FeatureBatch Batch(int i, OwnRows own)
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)i + 1, CPU);
            var features = (randn([own.Whole, Dimension], generator: generator) * 3 + 5).to_type(type);
            var places = tensor(own.InViews(own.Positions.Length));
            return new(features.index_select(0, places).DetachFromDisposeScope(), Labels(i, own.Whole).index_select(0, places).DetachFromDisposeScope());
        }
    }

    private static RankedMethod FineTune(ScalarType type)
    {
        // RandAugment computes in float32: it is for the other run.
        var options = new FineTuneOptions
        {
            DropPath = 0.3, RandomErasing = 0.5, EmaMomentum = 0.9, ClipGradient = 0.5, RandAugmentMagnitude = type == ScalarType.Float32 ? 9 : 0,
        };
        FineTuneModel model = Model(options.DropPath), average = Model(0);
        var normalizer = new VisionEncoder(model.Backbone);
        int[] classes = [.. Enumerable.Range(0, 1000).Select(i => (i * 7 + i / 3) % Classes)];
        var weights = tensor(new[] { 1f, 2, 0.5f, 1 });
        var method = new FineTuneMethod(options, model, average, normalizer, classes, Classes, weights, seed: 3);
        return new RankedMethodOf<ViewBatch>(Plan(), method, (i, own) => Views(i, own, type, views: 1, masks: false),
            () => FineTuneRun.Optimizer(model, options), model, average, weights);

        FineTuneModel Model(double dropPath)
        {
            var model = new FineTuneModel(new VisionTransformer(Encoder(dropPath, masks: false), seed: 1), Classes, CPU, seed: 1);
            model.Backbone.to(type);
            model.Head.to(type);
            return model;
        }
    }

    private static TrainingPlan Plan(int parts = 1, double clip = 0) => new()
    {
        Phase = "equality", Epochs = RankedMethod.Epochs, StepsPerEpoch = RankedMethod.StepsPerEpoch, BatchSize = RankedMethod.Batch,
        AccumulationSteps = parts, ClipGradient = clip, LearningRate = new(2e-3, 1e-3, RankedMethod.Epochs * RankedMethod.StepsPerEpoch),
        WeightDecay = new(0.04, 0.1, RankedMethod.Epochs * RankedMethod.StepsPerEpoch),
    };

    private static VitOptions Encoder(double dropPath, bool masks) => new()
    {
        ImageSize = 16, PatchSize = 4, EmbedDim = 24, Depth = 2, Heads = 3, DropPath = dropPath, MaskBias = masks ? new() { InitialValue = 0.5f } : null,
    };

    private static DinoBranch Branch(ScalarType type, double dropPath, bool masks = true)
    {
        var backbone = new VisionTransformer(Encoder(dropPath, masks), seed: 1);
        var head = new DinoHead(24, new() { OutDim = 32, HiddenDim = 32, BottleneckDim = 16 }, seed: 1);
        backbone.to(type);                              // before the branch lists them: they become others
        head.to(type);
        return new(backbone, head);
    }

    // Own rows of the batch of this number, view by view. In every third batch, only some rows have masks.
    private static ViewBatch Views(int number, OwnRows own, ScalarType type, int views = 2, bool local = false, bool masks = true)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)number + 1, CPU);
        return new(Group(16), local ? Group(8) : null) { Rows = [.. own.Positions.Select(p => number * own.Whole + p)] };

        ViewGroup Group(int side)
        {
            long rows = views * own.Whole;
            var pixels = randn([rows, 3, side, side], generator: generator).to_type(type);
            var tokens = rand([rows, 3, side / 4 * (side / 4)], generator: generator).to_type(type);
            if (number % 3 == 2) tokens[1..] = zeros_like(tokens[1..]);
            var places = tensor(own.InViews(views * own.Positions.Length));
            bool drops = !masks || (number % 3 == 2 && !own.Positions.Contains(0));            // as a loader that finds no mask in its rows
            return new(views, pixels.index_select(0, places).DetachFromDisposeScope(), drops ? null : tokens.index_select(0, places).DetachFromDisposeScope());
        }
    }

    private static Tensor Labels(int number, int count) => tensor(Enumerable.Range(0, count).Select(i => (long)((number * 5 + i * 3) % Classes)).ToArray());
}
