using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Images.Augmentation;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning;

/// <summary>Supervised training of a whole encoder on strongly augmented, mixed images with smoothed labels.</summary>
internal sealed class FineTuneMethod : ITrainingMethod<ViewBatch>
{
    private readonly FineTuneOptions options;
    private readonly FineTuneModel model;
    private readonly FineTuneModel? average;
    private readonly VisionEncoder normalizer;
    private readonly Tensor? classWeights;
    private readonly int[] classes;                 // of each image in the store
    private readonly int seed, count;
    private RankShare? share;

    public FineTuneMethod(
        FineTuneOptions options, FineTuneModel model, FineTuneModel? average, VisionEncoder normalizer, int[] classes, int count,
        Tensor? classWeights, int seed)
    {
        (this.options, this.model, this.average, this.normalizer) = (options, model, average, normalizer);
        (this.classes, this.count, this.classWeights, this.seed) = (classes, count, classWeights, seed);
        average?.MoveTowards(model, 0);
        average?.Train(false);
    }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters => model.Parameters;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
    [
        .. model.Parameters.Select(p => KeyValuePair.Create(p.Name, (Tensor)p.Parameter)),
        .. (average?.Parameters ?? []).Select(p => KeyValuePair.Create("average." + p.Name, (Tensor)p.Parameter)),
    ];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Generator>> Generators => [new("model", model.Backbone.Generator)];

    /// <summary>Norm of all gradients together in the last step, before clipping.</summary>
    public double GradientNorm { get; private set; }

    /// <inheritdoc/>
    public void JoinRanks(RankShare share)
    {
        if (!share.Rows.KeepsPairs && options.MixesPairs)
        {
            throw new NotSupportedException($"A rank has {share.Rows.Positions.Length} images of each batch, and mixup and CutMix mix them in pairs: "
                + $"BatchSize must be a multiple of {2 * share.Ranks.Size}, or both must be 0.");
        }
        this.share = share;
        model.Backbone.JoinRanks(share);
    }

    /// <inheritdoc/>
    public void BeginEpoch(int epoch) => model.Train();

    /// <inheritdoc/>
    public Tensor Loss(ViewBatch batch, TrainingPosition position)
    {
        var random = RandomFor(position, RandomStream.Labelled);
        var labels = tensor(batch.Rows.Select(r => (long)classes[r]).ToArray()).SentTo(normalizer.Device);
        var targets = SoftTargets.Smooth(labels, count, options.LabelSmoothing);
        var strong = StrongView(batch.Global.Images, options.RandomErasing, random);
        var (images, mixed) = BatchMixing.Apply(strong, targets, options.Mixup, options.Cutmix, random);
        return SoftTargets.CrossEntropy(model.Forward(images), mixed, classWeights, share?.Ranks);
    }

    /// <inheritdoc/>
    public void BeforeUpdate(TrainingPosition position)
    {
        if (options.ClipGradient == 0) return;
        GradientNorm = nn.utils.clip_grad_norm_(Parameters.Select(p => p.Parameter).Where(p => p.requires_grad), options.ClipGradient);
    }

    /// <inheritdoc/>
    public void AfterUpdate(TrainingPosition position) => average?.MoveTowards(model, options.EmaMomentum ?? 0);

    /// <summary>Loss and share of right answers on images as they are in use, on all ranks' together.</summary>
    public (double Loss, double Accuracy) Evaluate(IEnumerable<ViewBatch> batches)
    {
        var judged = average ?? model;
        judged.Train(false);
        double loss = 0, right = 0;
        int rows = 0;
        foreach (var batch in batches)
        {
            using (batch)
            using (var scope = NewDisposeScope())
            using (no_grad())
            {
                var logits = judged.Forward(batch.Global.Images);
                var labels = tensor(batch.Rows.Select(r => (long)classes[r]).ToArray()).SentTo(logits.device);
                loss += nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum).ToDouble();
                right += logits.argmax(1).eq(labels).sum().ToInt64();
                rows += batch.Rows.Length;
            }
        }
        if (share is not null)
        {
            using var sums = tensor(new[] { loss, right, rows });
            share.Ranks.Sum(sums);
            var all = sums.data<double>();
            return (all[0] / all[2], all[1] / all[2]);
        }
        return (loss / rows, right / rows);
    }

    /// <summary>What a step draws from.</summary>
    internal Random RandomFor(TrainingPosition position, RandomStream stream) => RandomStreams.Open(seed, position.Step, stream);

    /// <summary>RandAugment and erasing of normalised images, [B, 3, S, S].</summary>
    internal Tensor StrongView(Tensor images, double erasing, Random random)
    {
        if (options.RandAugmentMagnitude > 0)
        {
            var augmented = RandAugment.Apply(
                normalizer.Denormalize(images), options.RandAugmentMagnitude, options.RandAugmentDeviation, random, share?.Rows);
            images = normalizer.Normalize(augmented);
        }
        RandomErasing.Apply(images, erasing, random, share?.Rows);
        return images;
    }
}
