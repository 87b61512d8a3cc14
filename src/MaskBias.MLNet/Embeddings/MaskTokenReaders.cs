using MaskBias.MLNet.Masks;

namespace MaskBias.MLNet.Embeddings;

/// <summary>Makes the mask token vectors of an embedded image from its encoded masks.</summary>
internal static class MaskTokenReaders
{
    public static MaskTokenReader For(MaskTokenOptions options)
    {
        var tokenizer = new MaskTokenizer(options);
        return (encoded, width, height, region, patchesPerSide) =>
        {
            if (encoded.IsEmpty) return [];
            var masks = MaskSet.Decode(encoded);
            if (masks.Width != width || masks.Height != height)
                throw new InvalidDataException($"the masks are {masks.Width}x{masks.Height} pixels, the image is {width}x{height}; they must be of one size.");
            return tokenizer.Compute(masks, region, patchesPerSide, patchesPerSide, out _);
        };
    }
}
