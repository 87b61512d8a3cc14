namespace MaskBias.MLNet.Training;

/// <summary>A value per step: a linear warm-up that ends at the base value, then half a cosine towards the final value (DINO's form).</summary>
/// <remarks>
/// Warm-up includes both of its ends, so the first step has the start value; the last step comes close to the final value but does not
/// reach it.
/// </remarks>
public sealed class CosineSchedule
{
    private readonly double start;
    private readonly double from;
    private readonly double to;
    private readonly long warmupSteps;
    private readonly long steps;

    /// <summary>Creates the schedule.</summary>
    /// <param name="from">Base value, reached at the end of the warm-up.</param>
    /// <param name="to">Final value.</param>
    /// <param name="steps">Steps in the run.</param>
    /// <param name="warmupSteps">Steps of warm-up.</param>
    /// <param name="start">Value of the first warm-up step.</param>
    public CosineSchedule(double from, double to, long steps, long warmupSteps = 0, double start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        (this.from, this.to, this.steps, this.warmupSteps, this.start) = (from, to, steps, Math.Min(warmupSteps, steps), start);
    }

    /// <summary>The base value, where the cosine starts.</summary>
    public double Peak => from;

    /// <summary>The value at a step, counted from 0.</summary>
    public double At(long step)
    {
        if (step < warmupSteps) return warmupSteps == 1 ? start : start + (from - start) * step / (warmupSteps - 1);
        double progress = (double)(step - warmupSteps) / Math.Max(1, steps - warmupSteps);
        return to + 0.5 * (from - to) * (1 + Math.Cos(Math.PI * progress));
    }
}
