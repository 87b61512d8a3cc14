using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distributed;

/// <summary>Passes tokens on as they are, and tells when their gradient comes back.</summary>
internal sealed class BlockBorder : autograd.SingleTensorFunction<BlockBorder>
{
    private const string TellKey = "tell", PassKey = "pass";

    public override string Name => nameof(BlockBorder);

    public static Tensor Forward(Tensor tokens, Action tell) => apply(tokens, tell, BackwardPass.Current);

    public override Tensor forward(autograd.AutogradContext context, params object[] inputs)
    {
        context.save_data(TellKey, inputs[1]);
        context.save_data(PassKey, inputs[2]);
        return (Tensor)inputs[0];
    }

    public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
    {
        var pass = (BackwardPass)context.get_data(PassKey);
        return [pass.Gradient(gradient, Told), null!, null!];

        Tensor Told()
        {
            ((Action)context.get_data(TellKey))();
            return gradient;
        }
    }
}
