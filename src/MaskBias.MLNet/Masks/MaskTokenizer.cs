using System.Buffers;
using MaskBias.MLNet.Images;

namespace MaskBias.MLNet.Masks;

/// <summary>
/// Computes mask token vectors: the share of each patch of a crop that each mask covers, after the crop's geometry. It works on the
/// masks' runs, and the borders of crop and patches may lie anywhere within a pixel: shares are areas, not samples.
/// </summary>
/// <remarks>Thread-safe. What counts as a mask is set by <see cref="MaskTokenOptions"/>; parts of a crop outside the image are
/// uncovered.</remarks>
public sealed class MaskTokenizer
{
    // Areas are sums of fractions: a mask of exactly one patch, or of exactly the largest share, stays.
    private const double Tolerance = 1e-9;

    private readonly MaskTokenOptions options;

    /// <summary>Creates a tokenizer; later changes of the options do not reach it.</summary>
    /// <param name="options">Which masks count; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public MaskTokenizer(MaskTokenOptions? options = null) => this.options = OptionsValidator.Validate((options ?? new()).Copy());

    /// <summary>Computes the mask token vectors of one crop.</summary>
    /// <param name="masks">The image's masks.</param>
    /// <param name="crop">The crop, in pixels of the masks' image; mirrored afterwards when it says so.</param>
    /// <param name="rows">Rows of patches, at least 1.</param>
    /// <param name="columns">Columns of patches, at least 1.</param>
    /// <param name="kept">How many masks count.</param>
    /// <returns>[kept, rows · columns] shares in [0, 1], the largest mask first.</returns>
    /// <exception cref="ArgumentException">The crop has no area or a number is out of bounds.</exception>
    public float[] Compute(MaskSet masks, CropRegion crop, int rows, int columns, out int kept)
    {
        using var grid = new PatchGrid(Checked(masks), crop, rows, columns);
        int[] chosen = ArrayPool<int>.Shared.Rent(options.MaxMasks);
        try
        {
            int count = Choose(masks, grid, chosen);
            kept = count + (AddsComplement(count) ? 1 : 0);
            float[] tokens = new float[kept * grid.Patches];
            Write(masks, grid, chosen.AsSpan(0, count), tokens);
            return tokens;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(chosen);
        }
    }

    /// <summary>Computes the mask token vectors of one crop into a given span.</summary>
    /// <param name="masks">The image's masks.</param>
    /// <param name="crop">The crop, in pixels of the masks' image; mirrored afterwards when it says so.</param>
    /// <param name="rows">Rows of patches, at least 1.</param>
    /// <param name="columns">Columns of patches, at least 1.</param>
    /// <param name="tokens">
    /// Receives [kept, rows · columns] shares in [0, 1], the largest mask first; the rest is left as it is. MaxMasks · rows · columns
    /// values are always enough.
    /// </param>
    /// <returns>How many masks count.</returns>
    /// <exception cref="ArgumentException">The crop has no area, a number is out of bounds, or the span is too short.</exception>
    public int Compute(MaskSet masks, CropRegion crop, int rows, int columns, Span<float> tokens)
    {
        using var grid = new PatchGrid(Checked(masks), crop, rows, columns);
        int[] chosen = ArrayPool<int>.Shared.Rent(options.MaxMasks);
        try
        {
            int count = Choose(masks, grid, chosen);
            int kept = count + (AddsComplement(count) ? 1 : 0);
            if (tokens.Length < (long)kept * grid.Patches)
                throw new ArgumentException($"{tokens.Length} values do not hold {kept} masks of {rows}x{columns} patches.",
                    nameof(tokens));
            Write(masks, grid, chosen.AsSpan(0, count), tokens[..(kept * grid.Patches)]);
            return kept;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(chosen);
        }
    }

    private static MaskSet Checked(MaskSet masks) => masks ?? throw new ArgumentNullException(nameof(masks));

    private bool AddsComplement(int count) => options.AddComplement && count == 1 && options.MaxMasks > 1;

    // Largest first within the crop, ties in the masks' own order.
    private int Choose(MaskSet masks, PatchGrid grid, Span<int> chosen)
    {
        var (keys, order) = (ArrayPool<double>.Shared.Rent(masks.Count), ArrayPool<int>.Shared.Rent(masks.Count));
        try
        {
            int count = 0;
            var (smallest, largest) = (options.MinPatches - Tolerance, options.MaxCoverage * grid.Patches + Tolerance);
            for (int k = 0; k < masks.Count; k++)
            {
                double area = grid.Area(masks.Runs(k));
                if (area <= 0 || area < smallest || area > largest) continue;
                (keys[count], order[count]) = (-area, k);
                count++;
            }
            Array.Sort(keys, order, 0, count);
            for (int i = 0, j; i < count; i = j)            // the sort is not stable
            {
                for (j = i + 1; j < count && keys[j] == keys[i]; j++) { }
                if (j - i > 1) Array.Sort(order, i, j - i);
            }
            count = Math.Min(count, options.MaxMasks);
            order.AsSpan(0, count).CopyTo(chosen);
            return count;
        }
        finally
        {
            ArrayPool<double>.Shared.Return(keys);
            ArrayPool<int>.Shared.Return(order);
        }
    }

    private void Write(MaskSet masks, PatchGrid grid, ReadOnlySpan<int> chosen, Span<float> tokens)
    {
        for (int i = 0; i < chosen.Length; i++) grid.WriteShares(masks.Runs(chosen[i]), tokens.Slice(i * grid.Patches, grid.Patches));
        if (AddsComplement(chosen.Length)) grid.WriteComplement(tokens[..grid.Patches], tokens.Slice(grid.Patches, grid.Patches));
    }
}
