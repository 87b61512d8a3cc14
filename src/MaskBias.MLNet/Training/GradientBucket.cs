using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>The gradients of some parameters side by side in one tensor, and after them for each parameter whether there is one.</summary>
internal sealed class GradientBucket : IDisposable
{
    private readonly Tensor[] views;
    private readonly Tensor values, presence;
    private readonly bool[] missing;

    public GradientBucket(IReadOnlyList<Parameter> parameters)
    {
        Parameters = parameters;
        var type = TypeFor(parameters[0].dtype);
        long count = parameters.Sum(p => p.numel());
        Flat = zeros([count + parameters.Count], type, parameters[0].device).DetachFromDisposeScope();
        values = Flat.narrow(0, 0, count).DetachFromDisposeScope();
        presence = Flat.narrow(0, count, parameters.Count).DetachFromDisposeScope();
        views = new Tensor[parameters.Count];
        missing = new bool[parameters.Count];
        long at = 0;
        for (int i = 0; i < views.Length; at += parameters[i++].numel())
        {
            using var part = Flat.narrow(0, at, parameters[i].numel());
            views[i] = part.view(parameters[i].shape).DetachFromDisposeScope();
        }
    }

    /// <summary>Those whose gradients it takes.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>All of it, to be summed.</summary>
    public Tensor Flat { get; }

    /// <summary>The type that gradients are summed in.</summary>
    public static ScalarType TypeFor(ScalarType parameter) => parameter == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    /// <summary>Whether two parameters can share a bucket.</summary>
    public static bool GoTogether(Parameter one, Parameter other) =>
        TypeFor(one.dtype) == TypeFor(other.dtype) && one.device_type == other.device_type && one.device_index == other.device_index;

    /// <summary>Copies the gradients in; zeros stand for those that are not there.</summary>
    public void Fill()
    {
        using var scope = NewDisposeScope();
        presence.fill_(Number(1));
        for (int i = 0; i < views.Length; i++)
        {
            missing[i] = Parameters[i].grad is null;
            if (Parameters[i].grad is { } gradient)
            {
                views[i].copy_(gradient);
                continue;
            }
            views[i].zero_();
            presence[i] = zeros([], Flat.dtype, device: Flat.device);
        }
    }

    /// <summary>Gives the parameters the means. Where no rank had a gradient, there is none.</summary>
    public void HandOut(int ranks)
    {
        using var scope = NewDisposeScope();
        values.div_(Number(ranks));
        double[]? present = missing.Any(m => m) ? presence.cpu().to_type(ScalarType.Float64).data<double>().ToArray() : null;
        for (int i = 0; i < views.Length; i++)
        {
            if (present is not null && present[i] == 0) continue;
            Parameters[i].grad = Parameters[i].dtype == Flat.dtype ? views[i] : views[i].to_type(Parameters[i].dtype);
        }
    }

    public void Dispose()
    {
        foreach (var view in views) view.Dispose();
        values.Dispose();
        presence.Dispose();
        Flat.Dispose();
    }
}
