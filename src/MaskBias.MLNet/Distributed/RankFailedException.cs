namespace MaskBias.MLNet.Distributed;

/// <summary>A run over several processes cannot go on because one of them failed, was ended or does not answer.</summary>
public sealed class RankFailedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which rank it is, as far as known, and what happened.</param>
    public RankFailedException(string message) : base(message)
    {
    }}
