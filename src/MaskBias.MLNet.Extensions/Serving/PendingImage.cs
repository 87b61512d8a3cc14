using System.Diagnostics;
using MaskBias.MLNet.Extensions.Models;

namespace MaskBias.MLNet.Extensions.Serving;

/// <summary>A decoded image on its way to a batch; it holds the model that it was resized for and a place in the queue.</summary>
/// <param name="model">The model.</param>
/// <param name="pixels">Planar R, G, B, [3, S, S].</param>
/// <param name="places">Takes the place back.</param>
/// <param name="cancellation">The request's.</param>
internal sealed class PendingImage(ServedModel model, float[] pixels, SemaphoreSlim places, CancellationToken cancellation)
{
    public ServedModel Model { get; } = model;

    /// <summary>Planar R, G, B, [3, S, S].</summary>
    public float[] Pixels { get; } = pixels;

    public CancellationToken Cancellation { get; } = cancellation;

    public ActivityContext Parent { get; } = Activity.Current?.Context ?? default;

    public TaskCompletionSource<ServedResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets go of model and place: it is computed, or nobody waits for it any more.</summary>
    public void Release()
    {
        Model.Release();
        places.Release();
    }
}
