using System.Buffers;
using MaskBias.MLNet.Images.Augmentation;

namespace MaskBias.MLNet.Training.Data;

/// <summary>A batch as the loader's threads prepare it: padded pixels, what was drawn for each view, and the views' mask token vectors.</summary>
internal sealed class HostBatch(int rows, int height, int width) : IDisposable
{
    /// <summary>[B, H, W, 3], zero outside of each image. Rented: longer than needed.</summary>
    public byte[] Pixels { get; } = ArrayPool<byte>.Shared.Rent(rows * height * width * 3);

    public int Rows => rows;

    public int Height => height;

    public int Width => width;

    /// <summary>True size of each image.</summary>
    public (int Height, int Width)[] Sizes { get; } = new (int, int)[rows];

    /// <summary>Draws of each image, [B][V], the global views first.</summary>
    public ViewDraw[][] Draws { get; } = new ViewDraw[rows][];

    /// <summary>Mask token vectors of each view, [B][V] of [K, N]; null without masks.</summary>
    public float[][][]? Masks { get; init; }

    public void Dispose() => ArrayPool<byte>.Shared.Return(Pixels);
}
