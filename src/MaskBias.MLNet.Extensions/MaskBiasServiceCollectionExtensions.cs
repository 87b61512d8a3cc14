using System.Diagnostics.Metrics;
using MaskBias.MLNet.Extensions.Serving;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MaskBias.MLNet.Extensions;

/// <summary>Registers a saved model in an application.</summary>
public static class MaskBiasServiceCollectionExtensions
{
    /// <summary>Name of the health check; with a key, this, a colon and the key.</summary>
    public const string HealthCheckName = "maskbias";

    /// <summary>Name of the activity source and the meter.</summary>
    public const string TelemetryName = ServingTelemetry.Name;

    /// <summary>
    /// Registers <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> of <see cref="DataContent"/>, <see cref="IImageEmbedder"/> and
    /// <see cref="IImageClassifier"/> as one singleton that serves the model, and a health check. It needs ONNX Runtime, not libtorch.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options, at least the model's path.</param>
    /// <remarks>The options are checked and the model is loaded when the host starts; without a host, when a service is first asked for.</remarks>
    /// <exception cref="InvalidOperationException">It was called before: an application has one model without a key.</exception>
    public static IServiceCollection AddMaskBiasEmbeddings(this IServiceCollection services, Action<MaskBiasEmbeddingOptions> configure) =>
        Add(services, serviceKey: null, configure);

    /// <summary>
    /// Registers the same services under a key, for an application with several models: ask for them with
    /// <c>[FromKeyedServices("key")]</c> or GetRequiredKeyedService. The options' name is the key, and the meter has it as tag maskbias.key.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="serviceKey">Names the model.</param>
    /// <param name="configure">Sets the options, at least the model's path.</param>
    /// <exception cref="InvalidOperationException">There is a model with this key.</exception>
    public static IServiceCollection AddKeyedMaskBiasEmbeddings(
        this IServiceCollection services, string serviceKey, Action<MaskBiasEmbeddingOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serviceKey);
        return Add(services, serviceKey, configure);
    }

    // Services whose key is null are those without a key.
    private static IServiceCollection Add(IServiceCollection services, string? serviceKey, Action<MaskBiasEmbeddingOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(s => s.ServiceType == typeof(ImageEmbeddingService) && Equals(s.ServiceKey, serviceKey)))
        {
            string which = serviceKey is null ? "without a key" : $"with the key '{serviceKey}'";
            throw new InvalidOperationException($"There is a model {which} in these services already, and a second would take its place for "
                + "everyone. Register each further one with AddKeyedMaskBiasEmbeddings and a key of its own; to change the first one's "
                + "options, call Configure<MaskBiasEmbeddingOptions>.");
        }
        services.AddOptions<MaskBiasEmbeddingOptions>(serviceKey).Configure(configure).ValidateOnStart();
        services.AddLogging();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MaskBiasEmbeddingOptions>, MaskBiasEmbeddingOptionsValidator>());
        services.AddKeyedSingleton(serviceKey, (provider, _) => new ImageEmbeddingService(
            provider.GetRequiredService<IOptionsMonitor<MaskBiasEmbeddingOptions>>().Get(serviceKey),
            provider.GetRequiredService<ILogger<ImageEmbeddingService>>(),
            provider.GetService<IMeterFactory>(),
            serviceKey));
        services.AddKeyedSingleton<IImageEmbedder>(serviceKey, (provider, _) => Service(provider));
        services.AddKeyedSingleton<IImageClassifier>(serviceKey, (provider, _) => Service(provider));
        services.AddKeyedSingleton<IEmbeddingGenerator<DataContent, Embedding<float>>>(serviceKey, (provider, _) => Service(provider));
        services.AddHealthChecks().Add(new(serviceKey is null ? HealthCheckName : $"{HealthCheckName}:{serviceKey}",
            provider => new EmbeddingHealthCheck(Service(provider)), failureStatus: null, tags: ["ready"]));
        services.AddSingleton<IHostedService>(provider => new ModelStart(() => Service(provider)));
        return services;

        ImageEmbeddingService Service(IServiceProvider provider) => provider.GetRequiredKeyedService<ImageEmbeddingService>(serviceKey);
    }
}
