using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Training;

/// <summary>
/// The one loop that every method trains in. It owns the dispose scope of a step, the optimizer, accumulation, clipping, schedules,
/// progress and cancellation; it knows nothing of the method.
/// </summary>
internal sealed class TrainingLoop<TBatch> : IDisposable where TBatch : IDisposable
{
    private const int PartsBetweenCollections = 100;

    private readonly TrainingPlan plan;
    private readonly ITrainingMethod<TBatch> method;
    private readonly IOptimizer optimizer;
    private readonly List<double> losses = [];
    private readonly Stopwatch clock = new();
    private long partsDone;

    public TrainingLoop(TrainingPlan plan, ITrainingMethod<TBatch> method, IOptimizer? optimizer = null)
    {
        (this.plan, this.method) = (plan, method);
        method.BeginEpoch(0);
        this.optimizer = optimizer ?? new DecoupledAdam(method.Parameters, plan.Betas);
        ClearGradients(method.Parameters.Select(p => p.Parameter));
    }

    /// <summary>The loss of every step so far.</summary>
    public IReadOnlyList<double> Losses => losses;

    /// <summary>Time spent in training so far.</summary>
    public TimeSpan Elapsed => clock.Elapsed;

    /// <summary>Called after each step, outside of its dispose scope.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Called after each epoch; false ends the run.</summary>
    public Func<int, bool>? EndEpoch { get; init; }

    /// <summary>Trains for all epochs.</summary>
    /// <param name="batches">
    /// Gives the batches of an epoch, <see cref="TrainingPlan.StepsPerEpoch"/> of them, each in its equal parts, one after the other.
    /// </param>
    /// <param name="cancellation">Looked at before every batch or part of one.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled; the parameters are those after the last whole step.</exception>
    /// <exception cref="TrainingDivergedException">The loss is not a finite number.</exception>
    public void Run(Func<int, IEnumerable<TBatch>> batches, CancellationToken cancellation = default)
    {
        clock.Start();
        long step = 0;
        for (int epoch = 0; epoch < plan.Epochs; epoch++)
        {
            method.BeginEpoch(epoch);
            optimizer.Join(method.Parameters);
            int part = 0;
            double loss = 0;
            foreach (var batch in batches(epoch))
            {
                var position = new TrainingPosition(epoch, step);
                using (batch)
                {
                    cancellation.ThrowIfCancellationRequested();
                    loss += Accumulate(batch, position) / plan.AccumulationSteps;
                }
                if (++part < plan.AccumulationSteps) continue;
                Update(position);
                losses.Add(loss);
                (part, loss) = (0, 0);
                step++;
                Progress?.Report(Status(epoch, step));
            }
            if (EndEpoch?.Invoke(epoch) == false) break;
        }
        clock.Stop();
    }

    /// <summary>One step on a batch in one part.</summary>
    public double Step(TBatch batch, TrainingPosition position)
    {
        double loss = Accumulate(batch, position);
        Update(position);
        return loss;
    }

    /// <summary>Norm of each parameter's gradient in the last step, before clipping; empty where nothing is clipped.</summary>
    public IReadOnlyList<double> GradientNorms { get; private set; } = [];

    public void Dispose() => optimizer.Dispose();

    // Each parameter on its own, as DINO does: gradient · min(1, limit/(‖gradient‖ + 1e-6)).
    private List<double> Clip(IEnumerable<Parameter> parameters)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var gradients = parameters.Select(p => p.grad).OfType<Tensor>().ToList();
        if (gradients.Count == 0) return [];
        var norms = stack(gradients.Select(g => g.norm()));
        var factors = (plan.ClipGradient / (norms + 1e-6)).clamp_max_(1).unbind(0);
        for (int i = 0; i < gradients.Count; i++) gradients[i].mul_(factors[i]);
        return norms.cpu().to_type(ScalarType.Float64).data<double>().ToList();
    }

    // Adds a part's share of the batch's gradient; the loss is a mean, and the parts are of one size.
    private double Accumulate(TBatch part, TrainingPosition position)
    {
        using var scope = NewDisposeScope();
        var loss = method.Loss(part, position);
        double value = loss.ToDouble();
        if (!double.IsFinite(value)) throw new TrainingDivergedException(plan.Phase, position, value, plan.LearningRate.At(position.Step));
        (loss / plan.AccumulationSteps).backward();
        CollectNumbers();
        return value;
    }

    // Schedules, clipping, AdamW, and what the method adds; the gradients are used up.
    private void Update(TrainingPosition position)
    {
        using var scope = NewDisposeScope();
        optimizer.Set(plan.LearningRate.At(position.Step), plan.WeightDecay.At(position.Step));
        var parameters = method.Parameters.Select(p => p.Parameter).Where(p => p.requires_grad).ToList();
        GradientNorms = plan.ClipGradient > 0 ? Clip(parameters) : [];
        method.BeforeUpdate(position);
        optimizer.Step();
        ClearGradients(parameters);
        method.AfterUpdate(position);
    }

    // TorchSharp leaves the native half of every number that an operation takes to its finalizer, about 20 KB in a small model's step, and
    // the garbage collector does not see it: left alone, it may wait for tens of megabytes.
    private void CollectNumbers()
    {
        if (partsDone++ % PartsBetweenCollections == 0) GC.Collect(generation: 0, GCCollectionMode.Forced, blocking: false);
    }

    private static void ClearGradients(IEnumerable<Parameter> parameters)
    {
        foreach (var parameter in parameters) parameter.grad = null;
    }

    private TrainingProgress Status(int epoch, long done)
    {
        var elapsed = clock.Elapsed;
        return new(plan.Phase, epoch + 1, plan.Epochs, done, plan.Steps, losses[^1], plan.LearningRate.At(done - 1),
            done * plan.BatchSize / Math.Max(elapsed.TotalSeconds, 1e-9), elapsed, elapsed * ((double)(plan.Steps - done) / done));
    }
}
