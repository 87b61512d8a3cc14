using System.CommandLine;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.KeyMaps;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>A checkpoint on the command line, with what it does not say itself.</summary>
internal sealed class CheckpointInput
{
    private readonly Argument<string> path = new("checkpoint")
    {
        Description = "A folder, or a file: safetensors, or what torch.save wrote (DINO, DINOv2, MAE, timm, Hugging Face, or this library's own).",
    };

    private readonly Option<CheckpointBranch> branch = new("--branch")
    {
        Description = "Which encoder of a DINO training checkpoint.", DefaultValueFactory = _ => CheckpointBranch.Teacher,
    };

    private readonly Option<int?> heads = new("--heads") { Description = "Attention heads, where the file does not tell." };

    private readonly Option<double?> epsilon = new("--norm-epsilon") { Description = "Epsilon of the normalisations." };

    private readonly Option<PositionResampling?> resampling = new("--position-resampling")
    {
        Description = "How positions are resampled to other image sizes.",
    };

    /// <summary>Adds the argument and its options to a command.</summary>
    public CheckpointInput(Command command)
    {
        command.Add(path);
        foreach (Option option in new Option[] { branch, heads, epsilon, resampling }) command.Add(option);
    }

    public string Path(ParseResult parsed) => parsed.GetValue(path)!;

    public CheckpointLoadOptions Options(ParseResult parsed) => new()
    {
        Branch = parsed.GetValue(branch), Heads = parsed.GetValue(heads), NormEpsilon = parsed.GetValue(epsilon),
        PositionResampling = parsed.GetValue(resampling),
    };
}
