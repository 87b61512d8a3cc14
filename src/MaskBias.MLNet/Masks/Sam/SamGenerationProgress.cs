namespace MaskBias.MLNet.Masks.Sam;

/// <summary>Where the generation of one image's masks stands; reported after every batch of prompts.</summary>
/// <param name="Points">Prompts done.</param>
/// <param name="TotalPoints">Prompts of the image, in all its crops.</param>
/// <param name="Masks">Masks found so far, before the crops are compared.</param>
public sealed record SamGenerationProgress(int Points, int TotalPoints, int Masks);
