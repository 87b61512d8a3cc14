using MaskBias.MLNet.Experiments.Trials;
using MaskBias.MLNet.Vit;
using Microsoft.ML;

namespace MaskBias.MLNet.Experiments;

/// <summary>Looks for the model that does best on labelled images with one or more encoders, within a budget.</summary>
/// <remarks>
/// The features of all images are computed once. Which candidate is tried next, and with which parameters, a cost-frugal search decides
/// (docs/experiments.md).
/// </remarks>
public sealed class Experiment
{
    private const string OnlyEncoder = "encoder";

    private readonly MLContext context;
    private readonly ExperimentSettings settings;

    internal Experiment(MLContext context, ExperimentSettings settings) =>
        (this.context, this.settings) = (context, OptionsValidator.Validate(settings).Copy());

    /// <summary>Runs the experiment with one encoder.</summary>
    /// <inheritdoc cref="Execute(IDataView, IReadOnlyDictionary{string, VisionEncoder})"/>
    public ExperimentResult Execute(IDataView data, VisionEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return Execute(data, new Dictionary<string, VisionEncoder> { [OnlyEncoder] = encoder });
    }

    /// <summary>Runs the experiment with encoders of which the best is to be found, too.</summary>
    /// <param name="data">Rows with images and labels.</param>
    /// <param name="encoders">The encoders by name. They stay their caller's and as they are, and must outlive the result's model.</param>
    /// <exception cref="ArgumentException">A column is missing or of the wrong type, or the rows are too few or all alike.</exception>
    /// <exception cref="InvalidOperationException">
    /// The budget was too small for one trial, no trial succeeded, or the run file is another experiment's.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before a trial was complete.</exception>
    public ExperimentResult Execute(IDataView data, IReadOnlyDictionary<string, VisionEncoder> encoders)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(encoders);
        if (encoders.Count == 0) throw new ArgumentException("There is no encoder; an experiment needs at least one.", nameof(encoders));
        using var run = new ExperimentRun(context, settings, data, encoders);
        return run.Execute();
    }
}
