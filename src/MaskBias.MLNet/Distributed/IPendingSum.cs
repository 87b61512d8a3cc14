namespace MaskBias.MLNet.Distributed;

/// <summary>A sum over the ranks that was begun.</summary>
internal interface IPendingSum
{
    /// <summary>Waits until the sum is there.</summary>
    /// <exception cref="RankFailedException">Another rank failed, or did not come in time.</exception>
    void Complete();
}
