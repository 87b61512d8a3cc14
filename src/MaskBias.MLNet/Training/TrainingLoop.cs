using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// The one loop that every method trains in. It owns the dispose scope of a step, the optimizer, accumulation, clipping, schedules,
/// progress and cancellation; it knows nothing of the method.
/// </summary>
/// <remarks>
/// However <see cref="Run"/> ends, the state is that after the last whole step, unless <see cref="IsTorn"/>, so that it can be kept
/// (<see cref="TrainingState"/>) and gone on with.
/// </remarks>
internal sealed class TrainingLoop<TBatch> : IDisposable where TBatch : IDisposable
{
    private readonly TrainingPlan plan;
    private readonly ITrainingMethod<TBatch> method;
    private readonly IOptimizer optimizer;
    private readonly List<double> losses = [];
    private readonly Stopwatch clock = new();
    private StepStart? start;
    private long firstStep;

    public TrainingLoop(TrainingPlan plan, ITrainingMethod<TBatch> method, IOptimizer? optimizer = null)
    {
        (this.plan, this.method) = (plan, method);
        method.BeginEpoch(0);
        this.optimizer = optimizer ?? new DecoupledAdam(method.Parameters, plan.Betas);
        ClearGradients(method.Parameters.Select(p => p.Parameter));
    }

    /// <summary>The loss of every step so far.</summary>
    public IReadOnlyList<double> Losses => losses;

    /// <summary>The step that comes next.</summary>
    public TrainingPosition Next { get; private set; }

    /// <summary>Whether an update failed half-way, so that the state is that of no step.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Time spent in training so far.</summary>
    public TimeSpan Elapsed => clock.Elapsed;

    /// <summary>Norm of each parameter's gradient in the last step, before clipping.</summary>
    public IReadOnlyList<double> LastNorms { get; private set; } = [];

    /// <summary>Called after each step, outside of its dispose scope.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Called after each epoch; false ends the run.</summary>
    public Func<int, bool>? EndEpoch { get; init; }

    /// <summary>Called after each step and its report, for instance to keep its state.</summary>
    public Action? StepDone { get; init; }

    /// <summary>Averages gradients and losses over the ranks that share a batch; null where there is one.</summary>
    public GradientReducer? Reducer { get; init; }

    /// <summary>Receives what <see cref="ITrainingMethod{TBatch}.TakeWarnings"/> gives.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Sees the batch of a step that diverged, before the fault is thrown; gives the fault to throw.</summary>
    public Func<TBatch, TrainingDivergedException, TrainingDivergedException>? Diverged { get; init; }

    /// <summary>What the run keeps beside its method, such as the best epoch's weights, by name: kept and taken up again with the rest.</summary>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExtraState { get; init; } = [];

    /// <summary>The state of the run after its last step; null before the first.</summary>
    public TrainingProgress? LastStep => Next.Step == 0 ? null : Status(new((int)((Next.Step - 1) / plan.StepsPerEpoch), Next.Step - 1));

    /// <summary>All that the rest of the run depends on, between two steps.</summary>
    public TrainingState State => new(
        [.. method.State, .. ExtraState], optimizer.State, optimizer.Steps, method.Generators, losses);

    /// <summary>Takes up a run where its kept state ends.</summary>
    /// <param name="next">The step that comes next.</param>
    /// <param name="restore">Writes the kept values into this loop's state.</param>
    public void Resume(TrainingPosition next, Action<TrainingState> restore)
    {
        // As many epochs begin as had begun: what they unfroze joined the optimizer one after the other.
        for (int epoch = 0; epoch <= Math.Min(next.Epoch, plan.Epochs - 1); epoch++) Begin(epoch);
        losses.Clear();
        losses.AddRange(new double[next.Step]);
        var state = State;
        restore(state);
        optimizer.Steps = state.OptimizerSteps;
        losses.Clear();
        losses.AddRange(state.Losses);
        (Next, firstStep) = (next, next.Step);
    }

    /// <summary>Trains until the last epoch's end.</summary>
    /// <param name="batches">
    /// Gives the batches of an epoch from a step on, up to <see cref="TrainingPlan.StepsPerEpoch"/> of them, each in its equal parts, one
    /// after the other.
    /// </param>
    /// <param name="cancellation">Looked at before every batch or part of one.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled; the parameters are those after the last whole step.</exception>
    /// <exception cref="TrainingDivergedException">The loss or the gradient is not a finite number.</exception>
    public void Run(Func<TrainingPosition, IEnumerable<TBatch>> batches, CancellationToken cancellation = default)
    {
        clock.Start();
        while (Next.Epoch < plan.Epochs)
        {
            int epoch = Next.Epoch;
            Begin(epoch);
            using var atStart = start = new StepStart(method.Generators, method.State);
            int part = 0;
            double loss = 0;
            try
            {
                foreach (var batch in batches(Next))
                {
                    using var _ = batch;
                    cancellation.ThrowIfCancellationRequested();
                    if (part == 0) start.Keep();
                    bool isLast = ++part == plan.AccumulationSteps;
                    loss += Accumulate(batch, Next, isLast) / plan.AccumulationSteps;
                    if (!isLast) continue;
                    double mean = Reducer?.Mean(loss) ?? loss;      // before the update: ranks that are lost must not tear a step
                    Update(batch, Next);
                    method.Observe(Next, mean);
                    losses.Add(mean);
                    (part, loss) = (0, 0);
                    var done = Next;
                    Next = new((int)((done.Step + 1) / plan.StepsPerEpoch), done.Step + 1);
                    start.Forget();
                    try
                    {
                        Report(done);
                    }
                    finally
                    {
                        if (Next.Epoch != epoch && Next.Epoch < plan.Epochs) Begin(Next.Epoch);
                    }
                    StepDone?.Invoke();
                }
            }
            catch
            {
                start.Restore();                    // a step that was not finished has changed nothing
                ClearGradients(method.Parameters.Select(p => p.Parameter));
                throw;
            }
            if (Next.Epoch == epoch)
                throw new InvalidOperationException($"Epoch {epoch + 1} ended after step {Next.Step}; it must have {plan.StepsPerEpoch} steps.");
            if (EndEpoch?.Invoke(epoch) == false) break;
        }
        clock.Stop();
    }

    // Begun as soon as the one before it ends, so that the state at its first step is the same whenever it is kept.
    private void Begin(int epoch)
    {
        method.BeginEpoch(epoch);
        optimizer.Join(method.Parameters);
    }

    /// <summary>One step on a batch in one part.</summary>
    public double Step(TBatch batch, TrainingPosition position)
    {
        double loss = Accumulate(batch, position, isLast: true);
        Update(batch, position);
        method.Observe(position, loss);
        return loss;
    }

    public void Dispose() => optimizer.Dispose();

    private List<Parameter> Trained => [.. method.Parameters.Select(p => p.Parameter).Where(p => p.requires_grad)];

    // Adds a part's share of the batch's gradient; the loss is a mean, and the parts are of one size.
    private double Accumulate(TBatch part, TrainingPosition position, bool isLast)
    {
        using var scope = NewDisposeScope();
        if (isLast) Reducer?.Expect(Trained);
        var loss = method.Loss(part, position);
        method.Backward(loss, 1.0 / plan.AccumulationSteps);
        if (isLast) Reducer?.WaitForDevice();
        double value = loss.ToDouble();                      // waits for the device, so only when it has everything to do
        if (!double.IsFinite(value)) throw Fault(part, position, "loss", value);
        return value;
    }

    // Schedules, clipping, AdamW, and what the method adds; the gradients are used up.
    private void Update(TBatch batch, TrainingPosition position)
    {
        using var scope = NewDisposeScope();
        optimizer.Set(plan.LearningRate.At(position.Step), plan.WeightDecay.At(position.Step));
        var parameters = Trained;
        if (Reducer is not null)
        {
            method.ReduceOverRanks();
            Reducer.Reduce(parameters);
        }
        LastNorms = GradientNorms.MeasureAndClip([.. parameters.Select(p => p.grad).OfType<Tensor>()], plan.ClipGradient);
        double norm = GradientNorms.Total(LastNorms);
        if (!double.IsFinite(norm)) throw Fault(batch, position, "gradient's norm", norm);
        IsTorn = true;
        method.BeforeUpdate(position);
        optimizer.Step();
        ClearGradients(parameters);
        method.AfterUpdate(position);
        IsTorn = false;
    }

    private TrainingDivergedException Fault(TBatch batch, TrainingPosition position, string what, double value)
    {
        start?.Restore();
        var rows = batch is ITrainingBatch known ? known.SourceRows : [];
        var fault = new TrainingDivergedException(plan.Phase, position, what, value, plan.LearningRate.At(position.Step), rows, plan.ClipGradientOption);
        return Diverged?.Invoke(batch, fault) ?? fault;
    }

    private static void ClearGradients(IEnumerable<Parameter> parameters)
    {
        foreach (var parameter in parameters) parameter.grad = null;
    }

    private void Report(TrainingPosition done)
    {
        if (Warn is not null)
        {
            foreach (string warning in method.TakeWarnings()) Warn(warning);
        }
        Progress?.Report(Status(done));
    }

    private TrainingProgress Status(TrainingPosition done)
    {
        var elapsed = clock.Elapsed;
        long steps = done.Step + 1, now = steps - firstStep;
        return new(plan.Phase, done.Epoch + 1, plan.Epochs, steps, plan.Steps, losses[^1], plan.LearningRate.At(done.Step),
            now * plan.BatchSize / Math.Max(elapsed.TotalSeconds, 1e-9), elapsed, elapsed * ((double)(plan.Steps - steps) / Math.Max(1, now)))
        {
            WeightDecay = plan.WeightDecay.At(done.Step), GradientNorm = GradientNorms.Total(LastNorms),
            ProcessMemory = Environment.WorkingSet, Metrics = method.Metrics,
        };
    }
}
