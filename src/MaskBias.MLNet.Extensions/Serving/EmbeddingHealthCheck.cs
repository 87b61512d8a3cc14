using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>Healthy while the model answers; degraded while the queue is full or a changed file could not be loaded.</summary>
internal sealed class EmbeddingHealthCheck(ImageEmbeddingService service) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>
        {
            ["model"] = service.ModelId, ["dimensions"] = service.Dimensions, ["held"] = service.Held, ["capacity"] = service.Capacity,
        };
        var result = service switch
        {
            { ReloadFault: { } fault } => HealthCheckResult.Degraded($"The changed model file could not be loaded: {fault}", data: data),
            _ when service.Held >= service.Capacity => HealthCheckResult.Degraded("The queue is full.", data: data),
            _ => HealthCheckResult.Healthy("Serving.", data),
        };
        return Task.FromResult(result);
    }
}
