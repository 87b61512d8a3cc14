using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Cli.Study.Plans;
using TorchSharp;

namespace MaskBias.MLNet.Samples.Cli.Study.Jobs;

/// <summary>What the jobs of a study work with.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Folder">Where results go.</param>
/// <param name="Images">The images.</param>
/// <param name="Masks">Their masks.</param>
/// <param name="Session">Says how it goes.</param>
/// <param name="Processes">Processes that work on the study at once.</param>
/// <param name="Cancellation">Stops the work.</param>
internal sealed record StudyContext(
    StudyPlan Plan, StudyFolder Folder, StudyImages Images, StudyMasks Masks, Session Session, int Processes,
    CancellationToken Cancellation)
{
    /// <summary>Where encoders are measured.</summary>
    public static torch.Device Device => torch.cuda_is_available() ? torch.CUDA : torch.CPU;
}
