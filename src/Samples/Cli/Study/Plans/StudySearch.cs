namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>
/// A search of the plain baseline's settings: each set is pretrained with once and ranked by nearest neighbours, without the test images.
/// </summary>
/// <param name="Method">Whose options they are.</param>
/// <param name="Seed">The one seed.</param>
/// <param name="HeldOut">Share of each class' images to learn from that is classified by the others.</param>
/// <param name="ImagesSeen">Budget of each run.</param>
/// <param name="Sets">Options by the set's name.</param>
/// <param name="Chosen">The set that all cells of the method have; null for none.</param>
internal sealed record StudySearch(
    StudyMethod Method, int Seed, double HeldOut, long ImagesSeen,
    IReadOnlyList<(string Name, IReadOnlyList<(string Name, string Text)> Options)> Sets, string? Chosen);
