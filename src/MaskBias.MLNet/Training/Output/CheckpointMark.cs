namespace MaskBias.MLNet.Training.Output;

/// <summary>What checkpoint.json says: the step that comes next, and the fingerprint of the state beside it.</summary>
internal sealed record CheckpointMark(int Format, int Epoch, long Step, string State);
