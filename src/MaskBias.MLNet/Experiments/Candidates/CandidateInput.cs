namespace MaskBias.MLNet.Experiments.Candidates;

/// <summary>What a candidate learns from.</summary>
public enum CandidateInput
{
    /// <summary>A column of features that an encoder has computed: once, for all candidates.</summary>
    Features,

    /// <summary>The images themselves, with an encoder that it may train.</summary>
    Images,
}
