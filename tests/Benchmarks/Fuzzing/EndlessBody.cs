namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>As many zero bytes as asked for, after a beginning that passes for an image.</summary>
internal sealed class EndlessBody(long length) : Stream
{
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = (int)Math.Min(count, length - position);
        buffer.AsSpan(offset, read).Clear();
        if (position == 0 && read >= 3) (buffer[offset], buffer[offset + 1], buffer[offset + 2]) = (0xFF, 0xD8, 0xFF);
        position += read;
        return read;
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
