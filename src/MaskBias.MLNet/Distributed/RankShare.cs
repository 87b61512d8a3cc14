namespace MaskBias.MLNet.Distributed;

/// <summary>A rank's part in a run: the others, and which rows of every batch, or of every part of one, are its own.</summary>
internal sealed record RankShare(IRanks Ranks, OwnRows Rows)
{
    /// <summary>Where the backward pass of the encoder that is trained is seen.</summary>
    public BlockBorders Borders { get; } = new();

    /// <summary>The share of this rank in batches, or parts of batches, of a number of rows.</summary>
    public static RankShare Of(IRanks ranks, int rows) => new(ranks, OwnRows.Of(ranks.Rank, ranks.Size, rows));
}
