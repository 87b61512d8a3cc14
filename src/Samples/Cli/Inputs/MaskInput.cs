using System.CommandLine;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Masks.Files;
using MaskBias.MLNet.Masks.Sam;
using Microsoft.ML;

namespace MaskBias.MLNet.Samples.Cli.Inputs;

/// <summary>Where masks come from: the built-in segmenter, Segment Anything, or files.</summary>
internal sealed class MaskInput
{
    public const string ColumnName = "Masks";
    private const string None = "none", Segment = "segment", Sam = "sam:";

    private readonly Option<string> source;

    private readonly Option<MaskFileFormat> format = new("--mask-format")
    {
        Description = "The form of mask files, where it cannot be told from them.", DefaultValueFactory = _ => MaskFileFormat.Auto,
    };

    private readonly Option<string?> store = new("--mask-store") { Description = "A folder that keeps Segment Anything's masks for the next time.", HelpName = "folder" };

    /// <param name="command">Receives the options.</param>
    /// <param name="byDefault">The source where none is named.</param>
    public MaskInput(Command command, string byDefault)
    {
        source = new("--masks")
        {
            Description = "segment (the built-in segmenter), sam:CHECKPOINT (Segment Anything), a file or folder of masks (SA-1B, COCO, panoptic, label maps, bitmaps), or none.",
            DefaultValueFactory = _ => byDefault, HelpName = "source",
        };
        command.Add(source);
        command.Add(format);
        command.Add(store);
    }

    /// <summary>The rows with a column of masks, found once when they are read; as they are without masks.</summary>
    public (IDataView Rows, string? ColumnName) Add(ParseResult parsed, MLContext ml, IDataView rows)
    {
        string chosen = parsed.GetValue(source)!;
        if (chosen == None) return (rows, null);
        IEstimator<ITransformer> masks = chosen switch
        {
            Segment => ml.SelfSupervised().SegmentImages(ColumnName, "ImagePath"),
            _ when chosen.StartsWith(Sam, StringComparison.Ordinal) => ml.SelfSupervised().SamMasks(new SamMasksOptions
            {
                CheckpointPath = chosen[Sam.Length..], OutputColumnName = ColumnName, StoreFolder = parsed.GetValue(store),
            }),
            _ when File.Exists(chosen) || Directory.Exists(chosen) => ml.SelfSupervised().LoadMasks(ColumnName, "ImagePath", chosen, parsed.GetValue(format)),
            _ => throw new UsageException($"--masks is '{chosen}'; it must be segment, none, sam:CHECKPOINT, or a file or folder that is there."),
        };
        return (ml.Data.Cache(masks.Fit(rows).Transform(rows)), ColumnName);
    }
}
