using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>Keeps other web pages out: a browser lets any page send requests to 127.0.0.1.</summary>
internal static class Protection
{
    public static void UseProtection(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        AddHeaders(context.Response);
        if (IsChange(context.Request.Method) && !IsOwn(context.Request))
            await ErrorAnswers.WriteAsync(context, StatusCodes.Status403Forbidden, "The request comes from another page.");
        else await next(context);
    });

    public static void AddHeaders(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static bool IsChange(string method) => !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method);

    // Browsers say where a request comes from; programs that are none do not.
    private static bool IsOwn(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none"
        && request.Headers.Origin.ToString() is var origin && (origin.Length == 0 || origin == $"{request.Scheme}://{request.Host}");
}
