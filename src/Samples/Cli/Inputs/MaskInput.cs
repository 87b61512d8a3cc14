using System.CommandLine;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Masks.Sam;
using MaskBias.MLNet.Samples.Cli.Output;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>Where masks come from: the built-in segmenter, Segment Anything, or files.</summary>
internal sealed class MaskInput
{
    public const string ColumnName = "Masks";

    /// <summary>The built-in segmenter.</summary>
    public const string Segment = "segment";

    private const string None = "none", Sam = "sam:";

    private readonly Option<string> source;

    private readonly Option<MaskFileFormat> format = new("--mask-format")
    {
        Description = "The form of mask files, where it cannot be told from them.", DefaultValueFactory = _ => MaskFileFormat.Auto,
    };

    private readonly Option<MissingMasks> missing;

    private readonly Option<string?> store = new("--mask-store") { Description = "A folder that keeps Segment Anything's masks for the next time.", HelpName = "folder" };

    /// <param name="command">Receives the options.</param>
    /// <param name="byDefault">The source where none is named.</param>
    /// <param name="onMissing">What happens where files have no masks of an image.</param>
    public MaskInput(Command command, string byDefault, MissingMasks onMissing = MissingMasks.Throw)
    {
        source = new("--masks")
        {
            Description = "segment (the built-in segmenter), sam:CHECKPOINT (Segment Anything), a file or folder of masks (SA-1B, COCO, panoptic, label maps, bitmaps), or none.",
            DefaultValueFactory = _ => byDefault, HelpName = "source",
        };
        missing = new("--on-missing-masks") { Description = "What happens where files have no masks of an image.", DefaultValueFactory = _ => onMissing };
        command.Add(source);
        command.Add(format);
        command.Add(missing);
        command.Add(store);
    }

    /// <summary>The source that is named.</summary>
    /// <exception cref="UsageException">There is no such source.</exception>
    public string Source(ParseResult parsed)
    {
        string chosen = parsed.GetValue(source)!;
        return chosen is None or Segment || chosen.StartsWith(Sam, StringComparison.Ordinal) || Path.Exists(chosen) ? chosen
            : throw new UsageException($"--masks is '{chosen}'; it must be segment, none, sam:CHECKPOINT, or a file or folder that is there.");
    }

    /// <summary>What was given, for another command.</summary>
    public string Given(ParseResult parsed) => GivenOptions.Text(parsed, source, format, missing, store);

    /// <summary>Refuses masks where they have no part.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="why">Why they have none.</param>
    /// <exception cref="UsageException">They were asked for.</exception>
    public void Refuse(ParseResult parsed, string why)
    {
        Option[] all = [source, format, missing, store];
        if (all.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false } && !(o == source && parsed.GetValue(source) == None)) is { } given)
            throw new UsageException($"{given.Name} has no part here: {why}");
    }

    /// <summary>Refuses options that a source has no use for.</summary>
    /// <exception cref="UsageException">One was given.</exception>
    private void Check(ParseResult parsed, string chosen)
    {
        bool isSam = chosen.StartsWith(Sam, StringComparison.Ordinal), isFiles = !isSam && chosen is not (None or Segment);
        Option[] useless = [.. isSam ? Array.Empty<Option>() : [store], .. isFiles ? Array.Empty<Option>() : [format, missing]];
        if (useless.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } given)
            throw new UsageException($"{given.Name} has no part in --masks {chosen}.");
    }

    /// <summary>The rows with a column of masks, found once when they are read; as they are without masks.</summary>
    public (IDataView Rows, string? ColumnName) Add(ParseResult parsed, MLContext ml, IDataView rows)
    {
        string chosen = Source(parsed);
        Check(parsed, chosen);
        if (chosen == None) return (rows, null);
        IEstimator<ITransformer> masks = chosen switch
        {
            Segment => ml.SelfSupervised().SegmentImages(ColumnName, "ImagePath"),
            _ when chosen.StartsWith(Sam, StringComparison.Ordinal) => ml.SelfSupervised().SamMasks(new SamMasksOptions
            {
                CheckpointPath = chosen[Sam.Length..], OutputColumnName = ColumnName, StoreFolder = parsed.GetValue(store),
            }),
            _ => ml.SelfSupervised().LoadMasks(new()
            {
                Path = chosen, InputColumnName = "ImagePath", OutputColumnName = ColumnName, Format = parsed.GetValue(format), OnMissingMasks = parsed.GetValue(missing),
            }),
        };
        return (ml.Data.Cache(masks.Fit(rows).Transform(rows)), ColumnName);
    }
}
