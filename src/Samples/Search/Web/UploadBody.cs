using Microsoft.AspNetCore.Http;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>Reads a request's body into memory: no more bytes and no longer than is allowed.</summary>
internal static class UploadBody
{
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, SearchOptions options, CancellationToken cancel)
    {
        if (request.ContentLength > options.MaxUploadBytes) throw TooLarge();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(options.BodyTimeout);
        var bytes = new MemoryStream();                 // grows with what arrives, not with what is announced
        byte[] chunk = new byte[1 << 16];
        try
        {
            for (int read; (read = await request.Body.ReadAsync(chunk, timeout.Token)) > 0;)
            {
                if (bytes.Length + read > options.MaxUploadBytes) throw TooLarge();
                bytes.Write(chunk, 0, read);
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The body did not arrive in time.", StatusCodes.Status408RequestTimeout);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            // What Kestrel says of some bodies that break the rules, such as a chunk whose size is no number.
            throw new BadHttpRequestException("The body is not well-formed.", e);
        }
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    private static BadHttpRequestException TooLarge() => new("The body is too large.", StatusCodes.Status413PayloadTooLarge);
}
