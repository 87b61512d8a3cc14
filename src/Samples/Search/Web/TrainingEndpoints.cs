using MaskBias.MLNet.Samples.Search.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MaskBias.MLNet.Samples.Search.Web;

/// <summary>Starts, follows and cancels the training of the probe.</summary>
internal static class TrainingEndpoints
{
    public static void MapTraining(this IEndpointRouteBuilder app, ProbeTraining training)
    {
        var ending = app.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        app.MapPost("/api/training", () => training.Start() is { } refusal
            ? Results.Json(new ErrorAnswer(refusal), statusCode: StatusCodes.Status409Conflict)
            : Results.Accepted(value: training.State));
        app.MapDelete("/api/training", () =>
        {
            training.Cancel();
            return Results.NoContent();
        });
        app.MapGet("/api/training", (HttpContext context) =>
        {
            var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, ending);
            context.Response.RegisterForDispose(end);
            return TypedResults.ServerSentEvents(training.WatchAsync(end.Token));
        });
    }
}
