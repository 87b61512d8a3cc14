using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Masks.Sam.Model;

/// <summary>Linear layers with ReLU between them.</summary>
internal sealed class MultiLayerPerceptron : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<Linear> layers;

    public MultiLayerPerceptron(int inputs, int hidden, int outputs, int depth) : base(nameof(MultiLayerPerceptron))
    {
        layers = nn.ModuleList(Enumerable.Range(0, depth)
            .Select(i => nn.Linear(i == 0 ? inputs : hidden, i == depth - 1 ? outputs : hidden)).ToArray());
        RegisterComponents();
    }

    public override Tensor forward(Tensor values)
    {
        using var scope = NewDisposeScope();
        for (int i = 0; i < layers.Count; i++)
        {
            values = layers[i].forward(values);
            if (i < layers.Count - 1) values = nn.functional.relu(values);
        }
        return values.MoveToOuterDisposeScope();
    }
}
