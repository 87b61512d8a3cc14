namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A section of a report.</summary>
internal sealed record ReportSection(string Title, IReadOnlyList<IPart> Parts)
{
    /// <summary>Why the section has no parts; null where it has.</summary>
    public string? Absent { get; private init; }

    /// <summary>A section that is left out, and why.</summary>
    public static ReportSection LeftOut(string title, string why) => new(title, []) { Absent = why };
}
