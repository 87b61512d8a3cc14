namespace MaskBias.MLNet.Distributed;

/// <summary>
/// The rows of a batch that one rank computes: a run of rows and its mirror image from the end, so that rows which are mixed in pairs, i with
/// B − 1 − i, are of one rank.
/// </summary>
/// <param name="Positions">Positions in the whole batch, ascending.</param>
/// <param name="Whole">Rows of the whole batch.</param>
internal sealed record OwnRows(int[] Positions, int Whole)
{
    /// <summary>The rows of a rank. Together the ranks have each row once.</summary>
    /// <exception cref="ArgumentException">The batch cannot be shared out evenly.</exception>
    public static OwnRows Of(int rank, int ranks, int whole)
    {
        if (whole % ranks != 0) throw new ArgumentException($"A batch of {whole} rows cannot be shared out evenly among {ranks} ranks.");
        int share = whole / ranks, front = share / 2, back = share - front;
        return new([.. Enumerable.Range(rank * front, front), .. Enumerable.Range(whole - (rank + 1) * back, back)], whole);
    }

    /// <summary>Whether the partner of each row in its batch is its partner here too.</summary>
    public bool KeepsPairs => Positions.Length == Whole || Positions.Length % 2 == 0;

    /// <summary>Their places in a batch of several views, view by view: [V·B] -> [V·b].</summary>
    /// <param name="rows">Own rows of all views, V·b.</param>
    public long[] InViews(long rows)
    {
        long views = rows / Positions.Length;
        if (views * Positions.Length != rows) throw new ArgumentException($"{rows} rows are not whole views of {Positions.Length} rows.");
        long[] places = new long[rows];
        for (long view = 0; view < views; view++)
        {
            for (int i = 0; i < Positions.Length; i++) places[view * Positions.Length + i] = view * Whole + Positions[i];
        }
        return places;
    }
}
