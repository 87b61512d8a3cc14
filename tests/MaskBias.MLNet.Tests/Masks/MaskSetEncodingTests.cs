using MaskBias.MLNet.Masks;
using Xunit;

namespace MaskBias.MLNet.Tests.Masks;

public class MaskSetEncodingTests
{
    private static readonly byte[] Header = [0x4D, 0x53, 0x4B, 1];

    [Fact]
    public void Every_set_comes_back_equal()
    {
        Assert.Equal(MaskSet.Empty(1, 1), MaskSet.Decode(MaskSet.Empty(1, 1).Encode()));
        Assert.Equal(MaskSet.Empty(65535, 4096), MaskSet.Decode(MaskSet.Empty(65535, 4096).Encode()));
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            int height = random.Next(1, 70), width = random.Next(1, 70);
            var masks = MaskSet.FromBitmaps(height, width, MaskScenes.RandomBitmaps(seed, height, width, random.Next(0, 12)));
            byte[] bytes = masks.Encode();

            var decoded = MaskSet.Decode(bytes);
            Assert.Equal(masks, decoded);
            Assert.Equal(bytes, decoded.Encode());
            for (int k = 0; k < masks.Count; k++) Assert.Equal(masks.Area(k), decoded.Area(k));
        }
    }

    [Fact]
    public void The_largest_image_and_run_come_back()
    {
        var masks = MaskSet.FromRuns(16384, 16384, [[0, MaskSet.MaxPixels], [MaskSet.MaxPixels], [MaskSet.MaxPixels - 1, 1]]);
        Assert.Equal(masks, MaskSet.Decode(masks.Encode()));
        Assert.Equal(MaskSet.MaxPixels, masks.Area(0));
    }

    [Fact]
    public void The_bytes_are_as_documented()
    {
        // 200 wide, 2 high; a mask of 3 pixels after 130, and a full one.
        var masks = MaskSet.FromRuns(2, 200, [[130, 3, 267], [0, 400]]);
        byte[] expected = [.. Header, 2, 0xC8, 0x01, 2, 0x82, 0x01, 3, 0x8B, 0x02, 0, 0x90, 0x03];
        Assert.Equal(expected, masks.Encode());
    }

    [Fact]
    public void A_blob_costs_a_few_bytes_per_row()
    {
        var masks = MaskScenes.Ellipses(1, 224, 224, 64);
        Assert.InRange(masks.Encode().Length, 1, 64 * 224 * 4);
    }

    [Fact]
    public void Truncation_at_every_byte_is_refused()
    {
        byte[] bytes = MaskSet.FromBitmaps(20, 300, MaskScenes.RandomBitmaps(4, 20, 300, 3)).Encode();
        for (int length = 0; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            Assert.Throws<FormatException>(() => MaskSet.Decode(cut));
        }
    }

    [Fact]
    public void Changed_bytes_give_another_set_or_a_format_error()
    {
        var masks = MaskSet.FromBitmaps(9, 40, MaskScenes.RandomBitmaps(11, 9, 40, 4));
        byte[] bytes = masks.Encode();
        var random = new Random(5);
        for (int trial = 0; trial < 4000; trial++)
        {
            byte[] changed = bytes.ToArray();
            for (int n = random.Next(1, 4); n > 0; n--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            try
            {
                var decoded = MaskSet.Decode(changed);
                Assert.Equal(changed, decoded.Encode());                 // what is read is exactly what was written
            }
            catch (FormatException)
            {
            }
        }
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "There are no bytes", [] },
        { "do not start with", [1, 2, 3, 4, 5, 6, 7, 8] },
        { "version is 2", [0x4D, 0x53, 0x4B, 2, 1, 1, 0] },
        { "size is 4x0", [.. Header, 0, 4, 0] },
        { "size is 65536x1", [.. Header, 1, 0x80, 0x80, 0x04, 0] },
        { "size is 4294967295x4294967295", [.. Header, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0] },
        { "at most 268435456 are allowed", [.. Header, 0xFF, 0xFF, 0x03, 0xFF, 0xFF, 0x03, 0] },
        { "announces 65536 masks", [.. Header, 1, 1, 0x80, 0x80, 0x04] },
        { "65535 masks; 1 bytes cannot hold them", [.. Header, 1, 1, 0xFF, 0xFF, 0x03, 1] },
        { "has more than 32 bits", [.. Header, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 1, 0] },
        { "height is not in its shortest form", [.. Header, 0x84, 0x00, 4, 0] },
        { "mask 0 sum to 17", [.. Header, 4, 4, 1, 5, 12] },
        { "mask 1 sum to 4294967295", [.. Header, 4, 4, 2, 16, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F] },
        { "ends inside its mask 1", [.. Header, 4, 4, 2, 16, 15] },
        { "Run 1 of mask 0 is 0", [.. Header, 4, 4, 1, 5, 0, 11] },
        { "2 bytes follow", [.. Header, 4, 4, 1, 5, 11, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Malformed_bytes_are_refused_with_the_reason(string reason, byte[] bytes) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => MaskSet.Decode(bytes)).Message);

    [Fact]
    public void A_hostile_header_allocates_next_to_nothing()
    {
        byte[] bytes = [.. Header, 0x80, 0x80, 0x01, 0x80, 0x80, 0x01, 0xFF, 0xFF, 0x03, 0, 0, 0];     // 16384x16384, 65535 masks
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<FormatException>(() => MaskSet.Decode(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
    }
}
