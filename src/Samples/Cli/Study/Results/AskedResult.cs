namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>What the plan asked for when the folder was worked on last; other results in it are an earlier plan's.</summary>
/// <param name="Results">Keys of the results, by their files below the folder of the results.</param>
/// <param name="Runs">Keys of the trainings.</param>
internal sealed record AskedResult(IReadOnlyDictionary<string, string> Results, IReadOnlyList<string> Runs);
