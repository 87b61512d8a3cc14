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
    /// <summary>Name of the health check.</summary>
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
    public static IServiceCollection AddMaskBiasEmbeddings(this IServiceCollection services, Action<MaskBiasEmbeddingOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<MaskBiasEmbeddingOptions>().Configure(configure).ValidateOnStart();
        if (services.Any(s => s.ServiceType == typeof(ImageEmbeddingService))) return services;
        services.AddLogging();
        services.AddSingleton<IValidateOptions<MaskBiasEmbeddingOptions>, MaskBiasEmbeddingOptionsValidator>();
        services.AddSingleton(provider => new ImageEmbeddingService(
            provider.GetRequiredService<IOptions<MaskBiasEmbeddingOptions>>(),
            provider.GetRequiredService<ILogger<ImageEmbeddingService>>(),
            provider.GetService<IMeterFactory>()));
        services.AddSingleton<IImageEmbedder>(provider => provider.GetRequiredService<ImageEmbeddingService>());
        services.AddSingleton<IImageClassifier>(provider => provider.GetRequiredService<ImageEmbeddingService>());
        services.AddSingleton<IEmbeddingGenerator<DataContent, Embedding<float>>>(provider => provider.GetRequiredService<ImageEmbeddingService>());
        services.AddHealthChecks().AddCheck<EmbeddingHealthCheck>(HealthCheckName, tags: ["ready"]);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ModelStart>());
        return services;
    }
}
