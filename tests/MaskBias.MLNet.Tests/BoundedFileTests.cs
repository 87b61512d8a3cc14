using System.Text;

namespace MaskBias.MLNet.Tests;

public sealed class BoundedFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1000)]
    public void A_file_of_so_many_bytes_is_read(int length)
    {
        byte[] bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        Assert.Equal(bytes, BoundedFile.Read(folder.Write("a", bytes), 1000, "a test"));
    }

    [Fact]
    public void A_larger_one_is_refused_before_it_is_read()
    {
        string path = Path.Combine(folder.Path, "large");
        using (var file = File.Create(path)) file.SetLength(1L << 40);                  // a hole, which takes no space
        Assert.Equal($"'{path}' has {1L << 40} bytes; a test may have at most 1000.",
            Assert.Throws<InvalidDataException>(() => BoundedFile.Read(path, 1000, "a test")).Message);
        Assert.Throws<FileNotFoundException>(() => BoundedFile.Read(path + "r", 1000, "a test"));
    }

    [Fact]
    public void What_has_no_length_is_read_to_its_end_and_no_further_than_allowed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads what the system makes up as it is read");
        Assert.Contains("Linux version", BoundedFile.ReadText("/proc/version", 1 << 16, "a test"));
        Assert.Contains("more than 10000 bytes", Assert.Throws<InvalidDataException>(() => BoundedFile.Read("/dev/zero", 10_000, "a test")).Message);
    }

    [Fact]
    public void A_text_may_begin_with_a_mark() =>
        Assert.Equal("ä", BoundedFile.ReadText(folder.Write("text", [.. Encoding.UTF8.Preamble, .. "ä"u8]), 10, "a test"));

    public void Dispose() => folder.Dispose();
}
