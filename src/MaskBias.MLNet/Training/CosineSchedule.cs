namespace MaskBias.MLNet.Training;

/// <summary>A value per step: a linear warm-up to the base value, then half a cosine towards the final value.</summary>
/// <remarks>
/// The first step has the start value; the last comes close to the final value but does not reach it. Two forms of the warm-up are in use:
/// its last step has the base value (DINO), or the step after it does (MAE).
/// </remarks>
internal sealed class CosineSchedule
{
    private readonly double start;
    private readonly double from;
    private readonly double to;
    private readonly long warmupSteps;
    private readonly long steps;
    private readonly bool warmupReachesPeak;

    /// <summary>Creates the schedule.</summary>
    /// <param name="from">Base value, reached at the end of the warm-up.</param>
    /// <param name="to">Final value.</param>
    /// <param name="steps">Steps in the run.</param>
    /// <param name="warmupSteps">Steps of warm-up.</param>
    /// <param name="start">Value of the first warm-up step.</param>
    /// <param name="warmupReachesPeak">Whether the last warm-up step has the base value, or the one after it.</param>
    public CosineSchedule(double from, double to, long steps, long warmupSteps = 0, double start = 0, bool warmupReachesPeak = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        (this.from, this.to, this.start, this.warmupReachesPeak) = (from, to, start, warmupReachesPeak);
        (this.steps, this.warmupSteps) = (steps, Math.Min(warmupSteps, steps));
    }

    /// <summary>The base value, where the cosine starts.</summary>
    public double Peak => from;

    /// <summary>The value at a step, counted from 0.</summary>
    public double At(long step)
    {
        if (step < warmupSteps) return start + (from - start) * step / Math.Max(1, warmupReachesPeak ? warmupSteps - 1 : warmupSteps);
        double progress = (double)(step - warmupSteps) / Math.Max(1, steps - warmupSteps);
        return to + 0.5 * (from - to) * (1 + Math.Cos(Math.PI * progress));
    }
}
