using Microsoft.Extensions.Hosting;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>Loads the model when the application starts, so that a model that cannot be served stops the start and no first request waits.</summary>
internal sealed class ModelStart(Func<ImageEmbeddingService> service) : IHostedService
{
    // Not made before: the host creates its hosted services first, then checks all options together, then starts.
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = service().ModelId;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
