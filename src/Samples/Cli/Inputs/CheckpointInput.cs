using System.CommandLine;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
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

    private readonly Option<FeaturePooling?> pooling = new("--checkpoint-pooling")
    {
        Description = "What the features are, where the file does not tell: MAE's never does.",
    };

    private readonly Option<string>? device;

    /// <summary>Adds the argument and its options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="computes">Whether it computes with the encoder where that is, and so has an option for it.</param>
    public CheckpointInput(Command command, bool computes = false)
    {
        command.Add(path);
        foreach (Option option in new Option[] { branch, heads, epsilon, resampling, pooling }) command.Add(option);
        if (!computes) return;
        device = new("--device") { Description = "Where it computes: auto (CUDA where it is), cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto", HelpName = "device" };
        OptionValue.Require(typeof(ComputeDevice), device);
        command.Add(device);
    }

    public string Path(ParseResult parsed) => parsed.GetValue(path)!;

    /// <summary>Loads the encoder, to where the command computes.</summary>
    public VisionEncoder Load(ParseResult parsed)
    {
        var encoder = EncoderCheckpoint.Load(Path(parsed), Options(parsed));
        if (device is null) return encoder;
        try
        {
            _ = OptionValue.TryParse(typeof(ComputeDevice), parsed.GetValue(device)!, out object? where, out _);
            encoder.MoveTo((ComputeDevice)where!);
            return encoder;
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    public CheckpointLoadOptions Options(ParseResult parsed) => new()
    {
        Branch = parsed.GetValue(branch), Heads = parsed.GetValue(heads), NormEpsilon = parsed.GetValue(epsilon),
        PositionResampling = parsed.GetValue(resampling), Pooling = parsed.GetValue(pooling),
    };
}
