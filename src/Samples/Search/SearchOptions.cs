namespace MaskBias.MLNet.Samples.Search;

/// <summary>Where the app keeps its data, and what it takes.</summary>
internal sealed record SearchOptions
{
    /// <summary>The folder of pictures, index and probe; the app writes nowhere else.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The port on 127.0.0.1; 0 for any that is free.</summary>
    public int Port { get; init; }

    /// <summary>Bytes that an uploaded file may have.</summary>
    public int MaxUploadBytes { get; init; } = 20 << 20;

    /// <summary>Pixels that an uploaded image may have; checked before it is decoded.</summary>
    public long MaxImagePixels { get; init; } = 50_000_000;

    /// <summary>How long the body of a request may take to arrive.</summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Requests that read or compute pictures at once; further ones are answered 503.</summary>
    public int MaxConcurrentWork { get; init; } = 16;

    /// <summary>Images in the collection.</summary>
    public int MaxImages { get; init; } = 20_000;

    /// <summary>Passes over the labelled images when the probe is trained.</summary>
    public int ProbeEpochs { get; init; } = 100;
}
