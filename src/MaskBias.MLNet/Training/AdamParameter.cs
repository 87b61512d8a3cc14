using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>A parameter under AdamW.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="Parameter">Its values.</param>
/// <param name="Scale">Its learning rate as a multiple of the schedule's.</param>
/// <param name="Decays">Whether weight decay acts on it.</param>
internal sealed record AdamParameter(string Name, Parameter Parameter, double Scale, bool Decays)
{
    /// <summary>How often it was updated.</summary>
    public long Steps { get; set; }

    /// <summary>Moving mean of the gradient, in the parameter's shape.</summary>
    public Tensor First { get; set; } = null!;

    /// <summary>Moving mean of the gradient's square, in the parameter's shape.</summary>
    public Tensor Second { get; set; } = null!;
}
