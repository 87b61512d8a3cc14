namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A part that is a picture too.</summary>
internal interface IFigure : IPart
{
    /// <summary>What its file is called, without the extension.</summary>
    string Name { get; }

    byte[] ToPng();
}
