using MaskBias.MLNet.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>AdamW: parameters may have learning rates of their own, some take no weight decay, and some join late.</summary>
/// <remarks>On the processor in one pass over memory, elsewhere in a few launches for all parameters of equal treatment.</remarks>
internal sealed class DecoupledAdam : IOptimizer
{
    private readonly List<AdamParameter> parameters = [];             // in the order of joining, those that decay first
    private readonly (double First, double Second) betas;
    private double learningRate, weightDecay;

    /// <summary>All at the schedule's rate; weights decay, biases and norms do not.</summary>
    public DecoupledAdam(IEnumerable<(string Name, Parameter Parameter)> parameters, (double First, double Second) betas)
        : this(parameters.Where(p => p.Parameter.requires_grad).Select(p => Plain(p.Name, p.Parameter)), betas)
    {
    }

    /// <summary>With a rate and a decay for each parameter, as layer-wise decay needs.</summary>
    public DecoupledAdam(IEnumerable<AdamParameter> parameters, (double First, double Second) betas)
    {
        this.betas = betas;
        Add(parameters.OrderByDescending(p => p.Decays));
    }

    /// <summary>The moving means of the gradients and of their squares, by name.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State => parameters.SelectMany(p => new[]
    {
        KeyValuePair.Create("first." + p.Name, p.First), KeyValuePair.Create("second." + p.Name, p.Second),
    });

    /// <summary>How often each parameter was updated, in the order of <see cref="State"/>.</summary>
    public IReadOnlyList<long> Steps
    {
        get => [.. parameters.Select(p => p.Steps)];
        set
        {
            foreach (var (parameter, steps) in parameters.Zip(value)) parameter.Steps = steps;
        }
    }

    /// <summary>The learning rates of the next step, one for each pair of scale and decay that occurs.</summary>
    public IEnumerable<double> LearningRates => parameters.Select(p => (p.Scale, p.Decays)).Distinct().Select(p => p.Scale * learningRate);

    /// <summary>Vectors and everything named bias take no weight decay.</summary>
    public static bool Decays(string name, Tensor parameter) => parameter.dim() != 1 && !name.EndsWith(".bias", StringComparison.Ordinal);

    /// <summary>Takes in parameters that have come to require a gradient; they start with fresh state.</summary>
    public void Join(IEnumerable<(string Name, Parameter Parameter)> parameters)
    {
        var known = this.parameters.Select(p => p.Name).ToHashSet();
        Add(parameters.Where(p => p.Parameter.requires_grad && !known.Contains(p.Name)).Select(p => Plain(p.Name, p.Parameter)));
    }

    /// <summary>Sets what the next step uses.</summary>
    public void Set(double learningRate, double weightDecay) => (this.learningRate, this.weightDecay) = (learningRate, weightDecay);

    /// <summary>Updates every parameter that has a gradient.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var alike in parameters.Where(p => p.Parameter.grad is not null).GroupBy(p => (p.Scale, p.Decays, p.Steps)))
        {
            var (scale, decays, steps) = alike.Key;
            var update = new AdamUpdate(learningRate * scale, decays ? weightDecay : 0, betas.First, betas.Second, steps + 1);
            Move([.. alike], update);
        }
    }

    public void Dispose()
    {
        foreach (var parameter in parameters)
        {
            parameter.First.Dispose();
            parameter.Second.Dispose();
        }
    }

    private static AdamParameter Plain(string name, Parameter parameter) => new(name, parameter, 1, Decays(name, parameter));

    private void Add(IEnumerable<AdamParameter> added)
    {
        using var _ = no_grad();
        foreach (var parameter in added)
        {
            parameter.First = zeros_like(parameter.Parameter).DetachFromDisposeScope();
            parameter.Second = zeros_like(parameter.Parameter).DetachFromDisposeScope();
            parameters.Add(parameter);
        }
    }

    private static void Move(AdamParameter[] alike, AdamUpdate update)
    {
        foreach (var parameter in alike) parameter.Steps++;
        var onProcessor = alike.Where(IsPlain).ToList();
        if (onProcessor.Count > 0) MoveOnProcessor(onProcessor, update);
        foreach (var others in alike.Where(p => !IsPlain(p)).GroupBy(p => (p.Parameter.device_type, p.Parameter.device_index, p.Parameter.dtype)))
        {
            TensorLists.Adam([.. others.Select(p => p.Parameter)], [.. others.Select(p => p.Parameter.grad!)],
                [.. others.Select(p => p.First)], [.. others.Select(p => p.Second)], update);
        }
    }

    private static unsafe void MoveOnProcessor(IEnumerable<AdamParameter> alike, AdamUpdate update)
    {
        int threads = get_num_threads();
        foreach (var (parameter, gradient, m, v) in alike.Select(p => (p.Parameter, p.Parameter.grad!, p.First, p.Second)))
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
        p.Parameter.device_type == DeviceType.CPU && p.Parameter.dtype is (ScalarType.Float32 or ScalarType.Float64)
        && p.Parameter.grad!.dtype == p.Parameter.dtype && p.Parameter.is_contiguous() && p.Parameter.grad!.is_contiguous();
}
