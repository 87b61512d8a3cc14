namespace MaskBias.MLNet.Samples.Search.Collection;

/// <summary>An upload that is not taken; the message says why.</summary>
internal sealed class UploadException(UploadFault fault, string message) : Exception(message)
{
    public UploadFault Fault => fault;
}
