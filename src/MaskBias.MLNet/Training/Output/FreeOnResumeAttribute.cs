namespace MaskBias.MLNet.Training.Output;

/// <summary>Marks an option that does not change what a run computes, so that it may be another when the run is resumed, and on another rank.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FreeOnResumeAttribute : Attribute;
