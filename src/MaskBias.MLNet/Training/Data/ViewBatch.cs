using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>All views of a batch of images: the global ones, and the local ones where there are any.</summary>
internal sealed record ViewBatch(ViewGroup Global, ViewGroup? Local) : ITrainingBatch
{
    /// <summary>Index of each image in the store, [B].</summary>
    public int[] Rows { get; init; } = [];

    /// <inheritdoc/>
    public IReadOnlyList<long> SourceRows { get; init; } = [];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors => [.. Named("global", Global), .. Local is null ? [] : Named("local", Local)];

    /// <summary>The groups, global first.</summary>
    public IEnumerable<ViewGroup> Groups => Local is null ? [Global] : [Global, Local];

    private static IEnumerable<KeyValuePair<string, Tensor>> Named(string name, ViewGroup group)
    {
        yield return new(name + ".images", group.Images);
        if (group.MaskTokens is { } tokens) yield return new(name + ".maskTokens", tokens);
    }

    public void Dispose()
    {
        Global.Dispose();
        Local?.Dispose();
    }
}
