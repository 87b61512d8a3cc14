using MaskBias.MLNet.Distributed;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training.Data;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Dino;

/// <summary>Encoder and head of one side, the student's or the teacher's.</summary>
internal sealed class DinoBranch(VisionTransformer backbone, DinoHead head) : IDisposable
{
    private readonly Tensor[] tensors = [.. backbone.parameters(), .. head.parameters()];

    public VisionTransformer Backbone => backbone;

    public DinoHead Head => head;

    /// <summary>All parameters under the names of the DINO reference.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters { get; } =
        [.. backbone.named_parameters().Select(p => ("backbone." + p.name, p.parameter)),
         .. head.named_parameters().Select(p => ("head." + p.name, p.parameter))];

    /// <summary>All weights and statistics under the same names.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
        [.. backbone.state_dict().Select(t => KeyValuePair.Create("backbone." + t.Key, t.Value)),
         .. head.state_dict().Select(t => KeyValuePair.Create("head." + t.Key, t.Value))];

    /// <summary>Logits of all views, [V·B, K]: one encoder pass for each size, one head pass for everything.</summary>
    public Tensor Forward(IEnumerable<ViewGroup> groups)
    {
        using var scope = NewDisposeScope();
        return ForwardWithFeatures(groups).Logits.MoveToOuterDisposeScope();
    }

    /// <summary>Features of all views, [V·B, D], and their logits, [V·B, K].</summary>
    public (Tensor Features, Tensor Logits) ForwardWithFeatures(IEnumerable<ViewGroup> groups)
    {
        using var scope = NewDisposeScope();
        var features = cat(groups.Select(g => backbone.Forward(g.Images, g.MaskTokens)).ToList(), dim: 0);
        var logits = head.forward(features);
        return (features.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope());
    }

    /// <summary>Puts both parts in training mode.</summary>
    public void Train()
    {
        backbone.train();
        head.train();
    }

    /// <summary>Has its share of every batch from now on.</summary>
    /// <exception cref="NotSupportedException">The head has batch normalisation, whose statistics would be those of each rank's rows.</exception>
    public void JoinRanks(RankShare share)
    {
        if (head.Options.UseBatchNorm)
        {
            throw new NotSupportedException("The head's UseBatchNorm is true (in a distillation it is the teacher's head); its statistics would be "
                + "those of each rank's rows. Set Distributed to None, or take a head without.");
        }
        backbone.JoinRanks(share);
    }

    /// <summary>Freezes everything.</summary>
    public void Freeze()
    {
        foreach (var (_, parameter) in Parameters) parameter.requires_grad = false;
    }

    public void CopyFrom(DinoBranch other) => MoveTowards(other, 0);

    /// <summary>mine ← m·mine + (1 − m)·theirs, for every parameter; 0 copies.</summary>
    public void MoveTowards(DinoBranch other, double momentum)
    {
        using var _ = no_grad();
        TensorLists.MoveTowards(tensors, other.tensors, momentum);
    }

    public void Dispose()
    {
        backbone.Dispose();
        head.Dispose();
    }
}
