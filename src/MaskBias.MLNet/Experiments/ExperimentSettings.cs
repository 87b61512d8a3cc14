using System.ComponentModel.DataAnnotations;
using MaskBias.MLNet.Experiments.Candidates;
using MaskBias.MLNet.Training.Output;

namespace MaskBias.MLNet.Experiments;

/// <summary>What an experiment tries, on which columns, for how long, and how it is judged.</summary>
public abstract class ExperimentSettings : IValidatableObject
{
    /// <summary>Column with the images: a path (text), encoded bytes (vector of bytes) or an image.</summary>
    /// <value>"ImagePath".</value>
    [Required]
    public string ImageColumnName { get; set; } = "ImagePath";

    /// <summary>
    /// Column with the label: text or a key in classification, a number in regression. Rows whose label is missing are left out.
    /// </summary>
    /// <value>"Label".</value>
    [Required]
    public string LabelColumnName { get; set; } = "Label";

    /// <summary>
    /// Time for the whole experiment, features included. A trial that is still running then is stopped; no trial begins that is not
    /// expected to end in time. Null for no limit.
    /// </summary>
    /// <value>
    /// null: one of this and <see cref="MaxTrials"/> must be set. With a time limit, what is tried depends on how fast the machine is.
    /// </value>
    [FreeOnResume]
    public TimeSpan? MaxTime { get; set; }

    /// <summary>Trials; null for no limit. With this limit alone, one seed gives one ranking.</summary>
    /// <value>null.</value>
    [Range(1, 1_000_000)]
    [FreeOnResume]
    public int? MaxTrials { get; set; }

    /// <summary>Share of the rows that is held out to measure every trial. Not used with <see cref="Folds"/>.</summary>
    /// <value>0.2.</value>
    [Range(0.0, 0.9, MinimumIsExclusive = true)]
    public double ValidationFraction { get; set; } = 0.2;

    /// <summary>
    /// Folds of a cross-validation: every trial learns so many times, and its metrics are the means. The best is then trained on all rows,
    /// after <see cref="MaxTime"/> if need be. Null to hold out one part.
    /// </summary>
    /// <value>null.</value>
    [Range(2, 100)]
    public int? Folds { get; set; }

    /// <summary>Whether every part has its share of every class; in regression, of every tenth of the targets.</summary>
    /// <value>True.</value>
    public bool Stratified { get; set; } = true;

    /// <summary>
    /// Most megabytes of memory for the process, looked at many times a second; a trial that comes within a tenth of it is stopped and
    /// recorded as failed. Null for no limit.
    /// </summary>
    /// <value>null.</value>
    [Range(64, int.MaxValue)]
    [FreeOnResume]
    public int? MaxMemoryMegabytes { get; set; }

    /// <summary>What may be tried. Add your own, or those of MaskBias.MLNet.Experiments.Trees with AddTrees().</summary>
    [Required]
    public IList<ExperimentCandidate> Candidates { get; set; } = [];

    /// <summary>Names of the candidates that are tried; null for all.</summary>
    /// <value>null.</value>
    public IReadOnlyCollection<string>? AllowedCandidates { get; set; }

    /// <summary>Features that are tried, the first one first.</summary>
    /// <value>All of <see cref="FeatureChoice"/>.</value>
    [Required]
    public IReadOnlyList<FeatureChoice> Features { get; set; } = Enum.GetValues<FeatureChoice>();

    /// <summary>Seed of everything drawn at random; null for the MLContext's, or, where an experiment is resumed, for its own.</summary>
    /// <value>null.</value>
    [FreeOnResume]
    public int? Seed { get; set; }

    /// <summary>File that keeps every trial, a JSON object per line, to resume from; null for none.</summary>
    /// <value>null.</value>
    [FreeOnResume]
    public string? RunFile { get; set; }

    /// <summary>What to do where the run file is there already.</summary>
    /// <value>
    /// <see cref="ExistingRun.Resume"/>. Other data, encoders or settings than the file's are an error; budgets may be others.
    /// </value>
    [FreeOnResume]
    public ExistingRun WhenUsed { get; set; } = ExistingRun.Resume;

    /// <summary>Receives every trial when it has ended, on the experiment's thread.</summary>
    /// <value>null.</value>
    [FreeOnResume]
    public IProgress<ExperimentTrial>? Progress { get; set; }

    /// <summary>
    /// Ends the experiment: the best so far is returned; an <see cref="OperationCanceledException"/> where there is none.
    /// </summary>
    [FreeOnResume]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>The candidates that are allowed.</summary>
    internal IReadOnlyList<ExperimentCandidate> Chosen =>
        [.. Candidates.Where(c => AllowedCandidates is null || AllowedCandidates.Contains(c.Name, StringComparer.OrdinalIgnoreCase))];

    internal abstract IExperimentTask Task { get; }

    internal ExperimentSettings Copy()
    {
        var copy = (ExperimentSettings)MemberwiseClone();
        (copy.Candidates, copy.Features) = ([.. Candidates], [.. Features]);
        copy.AllowedCandidates = AllowedCandidates is null ? null : [.. AllowedCandidates];
        return copy;
    }

    /// <inheritdoc/>
    public virtual IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxTime is null && MaxTrials is null)
            yield return new("MaxTime and MaxTrials are both null; an experiment needs one of them to end.");
        if (MaxTime <= TimeSpan.Zero) yield return new($"MaxTime is {MaxTime}; it must be above 0.");
        if (Candidates is { Count: 0 } || AllowedCandidates is { Count: 0 })
            yield return new("There is no candidate to try: Candidates and AllowedCandidates must each hold at least one.");
        if (Features is { Count: 0 }) yield return new("Features is empty; it must hold at least one choice.");
        if (Features is not null && (Features.Any(f => !Enum.IsDefined(f)) || Features.Distinct().Count() < Features.Count))
            yield return new($"Features is [{string.Join(", ", Features)}]; each must be a known choice, and there once.");
        if (Candidates?.GroupBy(c => c.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
            yield return new($"Candidates has \"{twice.Key}\" {twice.Count()} times; names must differ.");
        foreach (string fault in PackagedCandidates.Missing(AllowedCandidates ?? [], Candidates ?? [])) yield return new(fault);
    }
}
