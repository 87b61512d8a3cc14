using System.Text.Json.Serialization;
using System.Threading.RateLimiting;
using MaskBias.MLNet.Extensions;
using MaskBias.MLNet.Samples.Search.Collection;
using MaskBias.MLNet.Samples.Search.Model;
using MaskBias.MLNet.Samples.Search.Training;
using MaskBias.MLNet.Samples.Search.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MaskBias.MLNet.Samples.Search;

/// <summary>The running app: a web server on 127.0.0.1, the collection and the training.</summary>
internal sealed class SearchApp : IAsyncDisposable
{
    /// <summary>Limits the requests that read or compute pictures at once.</summary>
    public const string WorkPolicy = "work";

    private readonly WebApplication app;
    private readonly ProbeTraining training;
    private readonly FileStream alone;

    private SearchApp(WebApplication app, ImageCollection collection, ProbeTraining training, FileStream alone) =>
        (this.app, Collection, this.training, this.alone) = (app, collection, training, alone);

    public ImageCollection Collection { get; }

    /// <summary>The page's address.</summary>
    public string Address => app.Urls.Single();

    /// <summary>Starts it.</summary>
    /// <param name="options">Where its data is, and its limits.</param>
    /// <param name="model">The model; it stays the caller's and must outlive the app.</param>
    /// <param name="note">Receives what a person who starts it should know.</param>
    /// <param name="cancel">Stops the start.</param>
    public static async Task<SearchApp> StartAsync(SearchOptions options, SearchModel model, Action<string> note, CancellationToken cancel)
    {
        var alone = Lock(options.DataFolder);
        WebApplication? app = null;
        ImageCollection? collection = null;
        ProbeTraining? training = null;
        try
        {
            app = Build(options, model);
            var embedder = app.Services.GetRequiredService<IImageEmbedder>();
            var classifier = app.Services.GetRequiredService<IImageClassifier>();
            var encoder = await ModelFiles.EncoderAsync(model, embedder, note);
            collection = await ImageCollection.OpenAsync(options, embedder, classifier, note, cancel);
            training = new(collection, options, embedder.ModelId, embedder.Dimensions);
            app.UseErrorAnswers(app.Logger);
            app.UseProtection();
            app.UseHostFiltering();
            app.UseRateLimiter();
            app.MapPage();
            app.MapHealthChecks("/health");
            new ImageEndpoints(collection, training, classifier, new(collection, encoder), options).Map(app);
            app.MapTraining(training);
            await app.StartAsync(cancel);
            return new(app, collection, training, alone);
        }
        catch
        {
            if (training is not null) await training.DisposeAsync();
            if (app is not null) await app.DisposeAsync();
            if (collection is not null) await collection.DisposeAsync();
            await alone.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends when the process is asked to.</summary>
    public Task WaitAsync() => app.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await training.DisposeAsync();
        await app.DisposeAsync();
        await Collection.DisposeAsync();
        await alone.DisposeAsync();
    }

    // Two on one folder would write over each other's index.
    private static FileStream Lock(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            return new(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"'{folder}' cannot be locked ({e.Message}): where another Search uses it, end that one, or give this one a folder of its own with --data.", e);
        }
    }

    private static WebApplication Build(SearchOptions options, SearchModel model)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseKestrelCore().UseUrls($"http://127.0.0.1:{options.Port}").ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxUploadBytes;
            kestrel.Limits.MaxConcurrentConnections = 256;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 2000, gracePeriod: TimeSpan.FromSeconds(5));
        });
        builder.Services.Configure<HostFilteringOptions>(o => o.AllowedHosts = ["127.0.0.1", "localhost"]);
        builder.Services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);         // answered with a sentence
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.Converters.Add(new JsonStringEnumConverter()));
        builder.Services.AddMaskBiasEmbeddings(o =>
        {
            o.ModelPath = model.ServedPath;
            o.ReloadInterval = TimeSpan.Zero;               // the index is of this model
            o.WhenFull = QueueFullMode.Reject;
        });
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.AddConcurrencyLimiter(WorkPolicy, o => (o.PermitLimit, o.QueueLimit) = (options.MaxConcurrentWork, 0));
            limiter.OnRejected = (context, _) => new(ErrorAnswers.WriteAsync(
                context.HttpContext, StatusCodes.Status503ServiceUnavailable, "There is too much to do; try again in a moment."));
        });
        return builder.Build();
    }
}
