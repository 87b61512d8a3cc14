using System.Runtime.InteropServices;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training.Data;

/// <summary>
/// Mask token vectors of all views of one size, [V·B, K, N] with K the most masks that any of the views has; missing ones are all zero,
/// which relates nothing.
/// </summary>
internal sealed class TokenBlock : IDisposable
{
    private readonly float[][] tokens;          // of each view of each image, view by view
    private readonly int masks, patches;
    private readonly Tensor? pinned;

    private TokenBlock(float[][] tokens, int masks, int patches, bool isPinned)
    {
        (this.tokens, this.masks, this.patches) = (tokens, masks, patches);
        if (!isPinned) return;
        using var unpinned = Stack();
        pinned = unpinned.Pinned();
    }

    /// <summary>Joins the views of a batch.</summary>
    /// <param name="tokens">[B][V] of [K, N], each with its own K.</param>
    /// <param name="first">The first view.</param>
    /// <param name="views">How many views.</param>
    /// <param name="patches">N.</param>
    /// <param name="isPinned">Whether a CUDA device is to read them: then they are joined now, else when they are asked for.</param>
    /// <returns>null where no view has a mask.</returns>
    public static TokenBlock? Join(float[][][] tokens, int first, int views, int patches, bool isPinned)
    {
        float[][] all = [.. Enumerable.Range(first, views).SelectMany(view => tokens.Select(t => t[view]))];
        int masks = all.Length == 0 ? 0 : all.Max(t => t.Length) / patches;
        return masks == 0 ? null : new(all, masks, patches, isPinned);
    }

    /// <summary>The vectors on a device.</summary>
    public Tensor On(Device device) => pinned is null ? Stack().SentTo(device) : pinned.SentTo(device);

    public void Dispose() => pinned?.Dispose();

    private Tensor Stack()
    {
        var result = zeros([tokens.Length, masks, patches]);
        var values = MemoryMarshal.Cast<byte, float>(result.bytes);
        for (int i = 0; i < tokens.Length; i++) tokens[i].CopyTo(values[(i * masks * patches)..]);
        return result;
    }
}
