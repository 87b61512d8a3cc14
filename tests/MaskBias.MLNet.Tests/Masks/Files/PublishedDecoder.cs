using System.Text.Json;

namespace MaskBias.MLNet.Tests.Masks.Files;

/// <summary>Decodes a COCO segmentation step by step as its format is described, with nothing of the library, down the columns.</summary>
internal static class PublishedDecoder
{
    public static bool[] Decode(JsonElement segmentation)
    {
        int height = segmentation.GetProperty("size")[0].GetInt32(), width = segmentation.GetProperty("size")[1].GetInt32();
        string text = segmentation.GetProperty("counts").GetString()!;
        var counts = new List<long>();
        for (int p = 0; p < text.Length;)
        {
            long x = 0;
            int k = 0;
            bool more = true;
            while (more)
            {
                long c = text[p] - 48;
                x |= (c & 0x1f) << 5 * k;
                more = (c & 0x20) != 0;
                p++;
                k++;
                if (!more && (c & 0x10) != 0) x |= -1L << 5 * k;
            }
            if (counts.Count > 2) x += counts[^2];
            counts.Add(x);
        }
        var pixels = new List<bool>();
        foreach (var (i, count) in counts.Index()) pixels.AddRange(Enumerable.Repeat(i % 2 == 1, (int)count));
        Assert.Equal(height * width, pixels.Count);
        return [.. pixels];
    }
}
