using TorchSharp.Modules;
using static TorchSharp.torch.utils;

namespace MaskBias.MLNet.Training.Output;

/// <summary>The metrics as TensorBoard's event files. A resumed run adds a file, and TensorBoard shows the later of two values of a step.</summary>
internal sealed class TensorBoardFile(string folder) : IProgress<TrainingProgress>
{
    public const string FolderName = "tensorboard";

    private readonly SummaryWriter writer = tensorboard.SummaryWriter(Path.Combine(folder, FolderName));

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        foreach (var (name, number) in MetricsFile.Numbers(value))
        {
            if (name != "secondsElapsed") writer.add_scalar($"{value.Phase}/{name}", (float)number, (int)Math.Min(value.Step, int.MaxValue));
        }
    }
}
