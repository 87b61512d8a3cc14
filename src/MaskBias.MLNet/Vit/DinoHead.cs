using MaskBias.MLNet.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Vit;

/// <summary>
/// DINO's projection head: linear layers with GELU, a bottleneck of unit length, and weight-normalised prototypes. It is kept beside an
/// encoder because distillation needs it; parameter names are DINO's.
/// </summary>
public sealed class DinoHead : nn.Module<Tensor, Tensor>
{
    private const double InitialDeviation = 0.02;

    private readonly nn.Module<Tensor, Tensor> mlp;
    private readonly WeightNormLinear last_layer;
    private readonly DinoHeadOptions options;

    /// <summary>Creates the head.</summary>
    /// <param name="inputDim">Width of the features it projects.</param>
    /// <param name="options">Its sizes.</param>
    /// <param name="seed">Seeds the initialisation.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public DinoHead(int inputDim, DinoHeadOptions options, long seed = 0) : base(TorchRuntime.EnsureLoaded(nameof(DinoHead)))
    {
        this.options = OptionsValidator.Validate(options).Copy();
        InputDim = inputDim;
        using var isolated = new IsolatedRandomState();
        using var scope = NewDisposeScope();
        mlp = Layers(inputDim, options);
        last_layer = new WeightNormLinear(options.BottleneckDim, options.OutDim, trainLength: !options.NormalizeLastLayer);
        RegisterComponents();
        if (!WeightLayers.SkipsStartValues) Initialize(seed);
        this.DetachWeights();
    }

    /// <summary>Width of the features it projects.</summary>
    public int InputDim { get; }

    /// <summary>Its sizes. A copy.</summary>
    public DinoHeadOptions Options => options.Copy();

    /// <summary>What its layers compute in, where it is not the type of the weights. Logits come in the type of the features.</summary>
    internal ScalarType? ComputeType { get; set; }

    /// <summary>Projects features [B, D] to logits over the prototypes [B, K].</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var bottleneck = nn.functional.normalize(Project(input.As(ComputeType)).As(input.dtype), p: 2, dim: -1, eps: 1e-12);
        return last_layer.forward(bottleneck.As(ComputeType)).As(input.dtype).MoveToOuterDisposeScope();
    }

    // The linear layers, each in the precision of its input
    private Tensor Project(Tensor input)
    {
        if (mlp is Linear only) return only.In(input);
        foreach (var layer in mlp.children()) input = layer is Linear linear ? linear.In(input) : ((nn.Module<Tensor, Tensor>)layer).forward(input);
        return input;
    }

    private static nn.Module<Tensor, Tensor> Layers(int inputDim, DinoHeadOptions options)
    {
        if (options.Layers == 1) return WeightLayers.Linear(inputDim, options.BottleneckDim);
        var layers = new List<nn.Module<Tensor, Tensor>>();
        int width = inputDim;
        for (int i = 0; i < options.Layers - 1; i++)
        {
            layers.Add(WeightLayers.Linear(width, options.HiddenDim));
            if (options.UseBatchNorm) layers.Add(nn.BatchNorm1d(options.HiddenDim));
            layers.Add(nn.GELU());
            width = options.HiddenDim;
        }
        layers.Add(WeightLayers.Linear(width, options.BottleneckDim));
        return nn.Sequential(layers);
    }

    private void Initialize(long seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        using var _ = no_grad();
        foreach (var linear in modules().OfType<Linear>())
        {
            linear.weight!.normal_(0, InitialDeviation, generator);
            linear.bias?.zero_();
        }
        last_layer.Initialize(generator);
    }
}
