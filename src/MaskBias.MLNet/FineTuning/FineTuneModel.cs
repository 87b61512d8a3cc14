using MaskBias.MLNet.LinearProbing;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Vit;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.FineTuning;

/// <summary>An encoder with a linear head, all of which is trained.</summary>
internal sealed class FineTuneModel : IDisposable
{
    private const double HeadDeviation = 2e-5;          // MAE's

    public FineTuneModel(VisionTransformer backbone, int classes, Device device, long seed)
    {
        Backbone = backbone;
        using (new IsolatedRandomState()) Head = nn.Linear(backbone.FeatureDim, classes);
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            using var generator = new Generator((ulong)seed, CPU);
            Head.weight!.normal_(0, HeadDeviation, generator);
            Head.bias!.zero_();
        }
        Backbone.to(device);
        Head.to(device);
        Backbone.DetachWeights();
        Head.DetachWeights();
    }

    public VisionTransformer Backbone { get; }

    public Linear Head { get; }

    public IEnumerable<(string Name, Parameter Parameter)> Parameters =>
        Backbone.named_parameters().Concat(Head.named_parameters().Select(p => (name: "head." + p.name, p.parameter)));

    private Tensor[] Tensors => [.. Backbone.parameters(), .. Head.parameters()];

    /// <summary>Logits of normalised images, [B, 3, S, S] -> [B, K].</summary>
    public Tensor Forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Head.forward(Backbone.forward(images)).MoveToOuterDisposeScope();
    }

    public void Train(bool training = true)
    {
        Backbone.train(training);
        Head.train(training);
    }

    /// <summary>p ← m·p + (1 − m)·q for every parameter; 0 copies.</summary>
    public void MoveTowards(FineTuneModel other, double momentum)
    {
        using var _ = no_grad();
        TensorLists.MoveTowards(Tensors, other.Tensors, momentum);
    }

    /// <summary>Gives the head the weights of a classifier.</summary>
    public void TakeHead(LinearClassifier classifier)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Head.weight!.copy_(tensor(classifier.Weights.SelectMany(w => w).ToArray()).view(Head.weight.shape));
        Head.bias!.copy_(tensor(classifier.Biases));
    }

    public LinearClassifier Classifier()
    {
        using var scope = NewDisposeScope();
        var weight = Head.weight!.detach().cpu();
        return new([.. weight.unbind(0).Select(w => w.contiguous().data<float>().ToArray())], Head.bias!.detach().cpu().data<float>().ToArray());
    }

    public void Dispose()
    {
        Backbone.Dispose();
        Head.Dispose();
    }
}
