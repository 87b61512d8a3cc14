namespace MaskBias.MLNet.Distributed;

/// <summary>A sum over the ranks that was begun.</summary>
internal interface IPendingSum
{
    /// <summary>Moves it along, where that takes calls; at once, and whether or not it is complete.</summary>
    void Advance()
    {
    }

    /// <summary>Waits until the sum is there.</summary>
    /// <exception cref="RankFailedException">Another rank failed, or did not come in time.</exception>
    void Complete();
}
