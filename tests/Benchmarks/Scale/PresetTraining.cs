using MaskBias.MLNet.Training;
using MaskBias.MLNet.Training.Data;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Benchmarks.Scale;

/// <summary>A method and batches for it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Groups">Views and side of each size of views.</param>
/// <param name="Masks">Masks of each view; 0 for none.</param>
/// <param name="Owned">What it frees.</param>
internal sealed record PresetTraining(
    ITrainingMethod<ViewBatch> Method, IReadOnlyList<(int Views, int Side)> Groups, int Masks, params IDisposable[] Owned) : IDisposable
{
    private const int PatchSize = 16;

    /// <summary>A batch of so many images.</summary>
    public ViewBatch Batch(int images)
    {
        return new(Group(0), Groups.Count > 1 ? Group(1) : null) { Rows = [.. Enumerable.Range(0, images)] };

        ViewGroup Group(int size)
        {
            var (views, side) = Groups[size];
            int patches = side / PatchSize * (side / PatchSize);
            return new(views, randn(views * images, 3, side, side), Masks == 0 ? null : rand(views * images, Masks, patches));
        }
    }

    public void Dispose()
    {
        foreach (var part in Owned) part.Dispose();
    }
}
