namespace MaskBias.MLNet.Tests.Extensions;

/// <summary>An upload whose body comes only when the test says so.</summary>
internal sealed class SlowStream(byte[] bytes) : MemoryStream(bytes)
{
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => opened.TrySetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await opened.Task.WaitAsync(cancellationToken);
        return await base.ReadAsync(buffer, cancellationToken);
    }
}
