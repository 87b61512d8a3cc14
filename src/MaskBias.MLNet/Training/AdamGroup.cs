using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// Parameters of one device and type whose moving means lie one after the other in two flat tensors, so that neighbours of equal treatment are
/// updated together: on the processor in one pass over memory, elsewhere in a few launches for all of them.
/// </summary>
internal sealed class AdamGroup : IDisposable
{
    private readonly IReadOnlyList<AdamParameter> parameters;
    private readonly Tensor first, second;            // [n], n values in all parameters

    public AdamGroup(IReadOnlyList<AdamParameter> parameters)
    {
        this.parameters = parameters;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        long count = parameters.Sum(p => p.Parameter.numel());
        var like = parameters[0].Parameter;
        first = zeros(count, like.dtype, like.device).DetachFromDisposeScope();
        second = zeros(count, like.dtype, like.device).DetachFromDisposeScope();
        long start = 0;
        foreach (var parameter in parameters)
        {
            long length = parameter.Parameter.numel();
            parameter.First = first.narrow(0, start, length).view(parameter.Parameter.shape).DetachFromDisposeScope();
            parameter.Second = second.narrow(0, start, length).view(parameter.Parameter.shape).DetachFromDisposeScope();
            start += length;
        }
    }

    /// <summary>Updates the parameters that have a gradient.</summary>
    /// <param name="rate">Learning rate, before each parameter's scale.</param>
    /// <param name="decay">Weight decay of those that decay.</param>
    /// <param name="betas">β₁ and β₂.</param>
    public void Step(double rate, double decay, (double First, double Second) betas)
    {
        long start = 0;
        for (int i = 0; i < parameters.Count;)
        {
            var leading = parameters[i];
            int end = i;
            long length = 0;
            while (end < parameters.Count && parameters[end].Parameter.grad is not null && parameters[end].MovesWith(leading))
            {
                length += parameters[end++].Parameter.numel();
            }
            if (end == i)
            {
                start += leading.Parameter.numel();
                i++;
                continue;
            }
            var update = new AdamUpdate(rate * leading.Scale, leading.Decays ? decay : 0, betas.First, betas.Second, leading.Steps + 1);
            Move([.. parameters.Skip(i).Take(end - i)], start, length, update);
            (start, i) = (start + length, end);
        }
    }

    public void Dispose()
    {
        foreach (var parameter in parameters)
        {
            parameter.First.Dispose();
            parameter.Second.Dispose();
        }
        first.Dispose();
        second.Dispose();
    }

    private void Move(IReadOnlyList<AdamParameter> run, long start, long length, AdamUpdate update)
    {
        if (run[0].Parameter.device_type == DeviceType.CPU && run.All(IsPlain)) MoveOnProcessor(run, update);
        else MoveTogether(run, first.narrow(0, start, length), second.narrow(0, start, length), update);
        foreach (var parameter in run) parameter.Steps++;
    }

    /// <summary>The update as operations on the whole run at once; for devices, where each launch costs more than the memory it touches.</summary>
    /// <param name="run">Parameters of equal treatment.</param>
    /// <param name="first">[n] of them.</param>
    /// <param name="second">[n] of them.</param>
    /// <param name="update">Its numbers.</param>
    internal static void MoveTogether(IReadOnlyList<AdamParameter> run, Tensor first, Tensor second, AdamUpdate update)
    {
        var gradients = cat([.. run.Select(p => p.Parameter.grad!.flatten())]);                        // [n]
        first.mul_(Number(update.Beta1)).add_(gradients, alpha: Number(1 - update.Beta1));
        second.mul_(Number(update.Beta2)).addcmul_(gradients, gradients, Number(1 - update.Beta2));
        var divisor = second.sqrt().div_(Number(update.SecondScale)).add_(Number(AdamUpdate.Epsilon), alpha: Number(1));
        var steps = (first / divisor).mul_(Number(-update.StepSize));
        if (update.Kept != 1) steps.add_(cat([.. run.Select(p => p.Parameter.flatten())]), alpha: Number(update.Kept - 1));
        var parts = steps.split([.. run.Select(p => p.Parameter.numel())]);
        for (int i = 0; i < run.Count; i++) run[i].Parameter.add_(parts[i].view_as(run[i].Parameter), alpha: Number(1));
    }

    private static unsafe void MoveOnProcessor(IReadOnlyList<AdamParameter> run, AdamUpdate update)
    {
        int threads = get_num_threads();
        foreach (var (parameter, gradient, m, v) in run.Select(p => (p.Parameter, p.Parameter.grad!, p.First, p.Second)))
        {
            long n = parameter.numel();
            if (n == 0) continue;
            fixed (byte* p = parameter.bytes, g = gradient.bytes, one = m.bytes, two = v.bytes)
            {
                if (parameter.dtype == ScalarType.Float32) AdamKernel.Run((float*)p, (float*)g, (float*)one, (float*)two, n, update, threads);
                else AdamKernel.Run((double*)p, (double*)g, (double*)one, (double*)two, n, update, threads);
            }
        }
    }

    private static bool IsPlain(AdamParameter p) =>
        p.Parameter.dtype is ScalarType.Float32 or ScalarType.Float64 && p.Parameter.grad!.dtype == p.Parameter.dtype
        && p.Parameter.is_contiguous() && p.Parameter.grad!.is_contiguous();
}
