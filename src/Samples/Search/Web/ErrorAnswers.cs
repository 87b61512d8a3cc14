using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Samples.Search.Collection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>Answers faults with their status and a sentence, as JSON: what the client did wrong, or that there is too much to do.</summary>
internal static partial class ErrorAnswers
{
    public static void UseErrorAnswers(this IApplicationBuilder app, ILogger log) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (Exception e)
        {
            // Gone: there is nobody to answer, and what it left undone is no fault.
            if (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted) return;
            var (status, message) = Describe(e);
            if (status == StatusCodes.Status500InternalServerError) Failed(log, e, context.Request.Path);
            await WriteAsync(context, status, message);
        }
    });

    /// <summary>Writes an answer that is a fault.</summary>
    public static Task WriteAsync(HttpContext context, int status, string message)
    {
        context.Response.Clear();
        Protection.AddHeaders(context.Response);
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "1";
        return context.Response.WriteAsJsonAsync(new ErrorAnswer(message));
    }

    private static (int Status, string Message) Describe(Exception fault) => fault switch
    {
        UploadException { Fault: UploadFault.WrongType } => (StatusCodes.Status415UnsupportedMediaType, fault.Message),
        UploadException { Fault: UploadFault.TooLarge } => (StatusCodes.Status413PayloadTooLarge, fault.Message),
        UploadException { Fault: UploadFault.Full } => (StatusCodes.Status409Conflict, fault.Message),
        UploadException => (StatusCodes.Status422UnprocessableEntity, fault.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
            (StatusCodes.Status413PayloadTooLarge, "The file is too large."),
        BadHttpRequestException bad => (bad.StatusCode, "The request is not well-formed, or its body did not arrive in time."),
        EmbeddingQueueFullException => (StatusCodes.Status503ServiceUnavailable, "There is too much to do; try again in a moment."),
        // The app is ending, or the disk is full: neither is the client's fault, and trying later may help.
        ObjectDisposedException or OperationCanceledException => (StatusCodes.Status503ServiceUnavailable, "The app is ending."),
        IOException => (StatusCodes.Status507InsufficientStorage, "The disk did not take the file."),
        _ => (StatusCodes.Status500InternalServerError, "Something failed; the app's log says what."),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed.")]
    private static partial void Failed(ILogger log, Exception fault, string path);
}
