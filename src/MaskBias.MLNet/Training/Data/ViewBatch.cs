namespace MaskBias.MLNet.Training.Data;

/// <summary>All views of a batch of images: the global ones, and the local ones where there are any.</summary>
internal sealed record ViewBatch(ViewGroup Global, ViewGroup? Local) : IDisposable
{
    /// <summary>Index of each image in the store, [B].</summary>
    public int[] Rows { get; init; } = [];

    /// <summary>The groups, global first.</summary>
    public IEnumerable<ViewGroup> Groups => Local is null ? [Global] : [Global, Local];

    public void Dispose()
    {
        Global.Dispose();
        Local?.Dispose();
    }
}
