using System.CommandLine;
using System.Globalization;
using MaskBias.MLNet.Native;
using MaskBias.MLNet.Pretraining.Mae;
using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights;
using MaskBias.MLNet.Weights.KeyMaps;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>A checkpoint on the command line, with what it does not say itself.</summary>
internal sealed class CheckpointInput
{
    /// <summary>In the place of a checkpoint: an encoder that has learned nothing; with a colon and a number others.</summary>
    private const string Random = "random";

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
    private readonly bool takesRandom;

    /// <summary>Adds the argument and its options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="computes">Whether it computes with the encoder where that is, and so has an option for it.</param>
    /// <param name="takesRandom">Whether an encoder that has learned nothing may be named, to compare with.</param>
    public CheckpointInput(Command command, bool computes = false, bool takesRandom = false)
    {
        this.takesRandom = takesRandom;
        if (takesRandom) path.Description += " Or random: a small encoder that has learned nothing, to see what pretraining is worth.";
        command.Add(path);
        foreach (var option in Described) command.Add(option);
        if (!computes) return;
        device = new("--device") { Description = "Where it computes: auto (CUDA where it is), cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto", HelpName = "device" };
        OptionValue.Require(typeof(ComputeDevice), device);
        command.Add(device);
    }

    private Option[] Described => [branch, heads, epsilon, resampling, pooling];

    public string Path(ParseResult parsed) => parsed.GetValue(path)!;

    /// <summary>Loads the encoder, to where the command computes.</summary>
    public VisionEncoder Load(ParseResult parsed)
    {
        var encoder = Untrained(parsed) ?? EncoderCheckpoint.Load(Path(parsed), Options(parsed));
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

    // As masked autoencoders of few images begin: the better of the two beginnings.
    private VisionEncoder? Untrained(ParseResult parsed)
    {
        string[] named = Path(parsed).Split(':');
        if (!takesRandom || named[0] != Random || System.IO.Path.Exists(Path(parsed))) return null;
        long seed = 1;
        if (named.Length > 2 || (named.Length == 2 && !long.TryParse(named[1], NumberStyles.None, CultureInfo.InvariantCulture, out seed)))
            throw new UsageException($"checkpoint is '{Path(parsed)}'; it must be random, or random: and a whole number.");
        if (Described.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } given)
            throw new UsageException($"{given.Name} has no part in a random encoder.");
        var mae = MaeOptions.FewImages(images: 1);
        (mae.Encoder.Positions, mae.Encoder.Pooling) = (mae.Positions, mae.Pooling);
        return new(VisionTransformer.CreateAsMae(mae.Encoder, seed));
    }

    public CheckpointLoadOptions Options(ParseResult parsed) => new()
    {
        Branch = parsed.GetValue(branch), Heads = parsed.GetValue(heads), NormEpsilon = parsed.GetValue(epsilon),
        PositionResampling = parsed.GetValue(resampling), Pooling = parsed.GetValue(pooling),
    };
}
