namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>A pair of cells whose difference is asked for.</summary>
/// <param name="Cell">The one.</param>
/// <param name="Against">What it is compared with.</param>
/// <param name="Measure">How the one is measured; null for every measure.</param>
/// <param name="By">How the other is measured; null for the same way.</param>
internal sealed record StudyComparison(string Cell, string Against, string? Measure, string? By);
