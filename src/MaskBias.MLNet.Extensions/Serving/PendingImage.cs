using System.Diagnostics;
using MaskBias.MLNet.Extensions.Models;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>A decoded image on its way to a batch; it holds the model that it was resized for.</summary>
internal sealed class PendingImage(ServedModel model, float[] pixels, CancellationToken cancellation)
{
    public ServedModel Model { get; } = model;

    /// <summary>Planar R, G, B, [3, S, S].</summary>
    public float[] Pixels { get; } = pixels;

    public CancellationToken Cancellation { get; } = cancellation;

    public ActivityContext Parent { get; } = Activity.Current?.Context ?? default;

    public TaskCompletionSource<ServedResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
