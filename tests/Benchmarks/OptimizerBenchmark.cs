using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks;

/// <summary>
/// An update of AdamW on the parameters of ViT-S: the pass over memory that the processor runs, and the operation on all of them that a device
/// runs, against TorchSharp's optimizer.
/// </summary>
internal static class OptimizerBenchmark
{
    private const int Rounds = 15;

    public static void Run(TextWriter output)
    {
        TorchRuntime.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var model = new VisionTransformer(VitOptions.Small(), seed: 1);
        var parameters = model.named_parameters().Where(p => p.parameter.requires_grad)
            .Select(p => new AdamParameter(p.name, p.parameter, 1, Decays: true)).ToList();
        foreach (var p in parameters) p.Parameter.grad = randn_like(p.Parameter).DetachFromDisposeScope();
        long count = parameters.Sum(p => p.Parameter.numel());
        using var ours = new DecoupledAdam(parameters, (0.9, 0.999));
        ours.Set(1e-4, 0.04);
        Tensor[] tensors = [.. parameters.Select(p => p.Parameter)], gradients = [.. parameters.Select(p => p.Parameter.grad!)];
        Tensor[] first = [.. parameters.Select(p => p.First)], second = [.. parameters.Select(p => p.Second)];
        using var reference = optim.AdamW(parameters.Select(p => p.Parameter), lr: 1e-4, weight_decay: 0.04);
        double[] seconds = Timing.Medians(Rounds, () => reference.step(), ours.Step,
            () => TensorLists.Adam(tensors, gradients, first, second, new(1e-4, 0.04, 0.9, 0.999, 10)));
        output.WriteLine(FormattableString.Invariant(
            $"  {count / 1e6:0.0} million parameters, {get_num_threads()} threads: TorchSharp's AdamW {seconds[0] * 1000:0.0} ms; one pass over memory {seconds[1] * 1000:0.0} ms, {seconds[1] / seconds[0]:0.00} of it; all at once {seconds[2] * 1000:0.0} ms, {seconds[2] / seconds[0]:0.00} of it"));
    }
}
