namespace MaskBias.MLNet.Samples.Cli.Study.Results;

/// <summary>How a set of settings did in the search.</summary>
/// <param name="Key">Stands for all that it depends on.</param>
/// <param name="Set">The set's name.</param>
/// <param name="Accuracy">Share of the held-out images to learn from whose class the nearest others name.</param>
/// <param name="HeldOut">How many were held out.</param>
/// <param name="Run">Key of the training.</param>
internal sealed record SearchResult(string Key, string Set, double Accuracy, int HeldOut, string Run);
