namespace MaskBias.MLNet.Training;

/// <summary>A step of a run, all counted from 0.</summary>
/// <param name="Epoch">The epoch that the step belongs to.</param>
/// <param name="Step">The step, over all epochs.</param>
internal readonly record struct TrainingPosition(int Epoch, long Step);
