using MaskBias.MLNet.Native;
using MaskBias.MLNet.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Training;

/// <summary>AdamW against libtorch's, which TorchSharp's optimizer follows.</summary>
public class DecoupledAdamTests
{
    private static readonly long[][] Shapes = [[70_001], [300, 7], [5], [3, 2, 4], [64]];

    [Theory]
    [InlineData(ScalarType.Float64, 1e-13)]
    [InlineData(ScalarType.Float32, 2e-6)]
    public void It_steps_as_the_reference_does_with_parameters_that_have_no_gradient_at_times(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        var (mine, theirs) = (Parameters(type), Parameters(type));
        using var optimizer = new DecoupledAdam(mine.Select((p, i) => new AdamParameter($"p{i}", p, 1, i % 2 == 0)), (0.9, 0.999));
        var groups = new[] { 0, 1 }.Select(odd => new AdamW.ParamGroup(
            [.. theirs.Where((_, i) => i % 2 == odd)], lr: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0)).ToList();
        using var reference = optim.AdamW(groups);
        for (int step = 0; step < 12; step++)
        {
            using var _ = NewDisposeScope();
            double rate = 0.01 * (step + 1), decay = 0.1 / (step + 1);
            optimizer.Set(rate, decay);
            foreach (var group in groups) group.LearningRate = rate;
            groups[0].Options.weight_decay = decay;
            for (int i = 0; i < Shapes.Length; i++)
            {
                bool rests = (i == 2 && step < 3) || (i == 0 && step == 5);
                var gradient = rests ? null : Gradient(Shapes[i], type, step);
                (mine[i].grad, theirs[i].grad) = (gradient?.DetachFromDisposeScope(), gradient?.clone().DetachFromDisposeScope());
            }
            optimizer.Step();
            reference.step();
            for (int i = 0; i < Shapes.Length; i++) AssertNear(theirs[i], mine[i], tolerance);
        }
        Assert.Equal([11, 9, 12, 12, 12], new[] { 0, 2, 4, 1, 3 }.Select((_, k) => optimizer.Steps[k]));
    }

    [Fact]
    public void The_update_of_a_whole_run_of_parameters_is_that_of_each()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (apart, together) = (Parameters(ScalarType.Float64), Parameters(ScalarType.Float64));
        var one = Under(apart);
        using var optimizer = new DecoupledAdam(one, (0.9, 0.95));
        optimizer.Set(0.02, 0.3);
        Tensor[] first = [.. together.Select(p => zeros_like(p))], second = [.. together.Select(p => zeros_like(p))];
        for (int step = 0; step < 4; step++)
        {
            for (int i = 0; i < Shapes.Length; i++)
            {
                apart[i].grad = Gradient(Shapes[i], ScalarType.Float64, step).DetachFromDisposeScope();
                together[i].grad = apart[i].grad!.clone().DetachFromDisposeScope();
            }
            optimizer.Step();
            TensorLists.Adam([.. together], [.. together.Select(p => p.grad!)], first, second, new(0.02, 0.3, 0.9, 0.95, step + 1));
            for (int i = 0; i < Shapes.Length; i++) AssertNear(apart[i], together[i], 1e-13);
        }
    }

    [Fact]
    public void Rates_are_scaled_for_each_parameter_and_state_is_named_after_it()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters(ScalarType.Float64);
        using var optimizer = new DecoupledAdam(
            parameters.Select((p, i) => new AdamParameter($"p{i}", p, i < 2 ? 0.5 : 1, i % 2 == 0)), (0.9, 0.999));
        optimizer.Set(0.4, 0);
        Assert.Equal([0.2, 0.2, 0.4, 0.4], optimizer.LearningRates.Order());
        var before = parameters.Select(p => p.clone()).ToList();
        foreach (var p in parameters) p.grad = ones_like(p).DetachFromDisposeScope();
        optimizer.Step();
        // The first step of Adam is the rate long, whatever the gradient's size.
        for (int i = 0; i < Shapes.Length; i++) AssertNear(before[i] - (i < 2 ? 0.2 : 0.4), parameters[i], 1e-8);
        var state = optimizer.State.ToDictionary();
        Assert.Equal(2 * Shapes.Length, state.Count);
        Assert.Equal(Shapes[3], state["second.p3"].shape);
        Assert.Equal(0.1, state["first.p3"].mean().item<double>(), 1e-12);
    }

    [Fact]
    public void One_that_joins_late_starts_fresh()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters(ScalarType.Float64);
        using var optimizer = new DecoupledAdam([("a.weight", parameters[1])], (0.9, 0.999));
        Step(parameters[1]);
        optimizer.Join([("a.weight", parameters[1]), ("b.bias", parameters[2])]);
        Step(parameters[1], parameters[2]);
        Assert.Equal([2, 1], optimizer.Steps);
        Assert.Equal(["first.a.weight", "second.a.weight", "first.b.bias", "second.b.bias"], optimizer.State.Select(s => s.Key));

        void Step(params Parameter[] with)
        {
            foreach (var p in with) p.grad = ones_like(p).DetachFromDisposeScope();
            optimizer.Set(0.1, 0);
            optimizer.Step();
        }
    }

    private static List<AdamParameter> Under(IEnumerable<Parameter> parameters) => [.. parameters.Select((p, i) => new AdamParameter($"p{i}", p, 1, true))];

    private static List<Parameter> Parameters(ScalarType type) =>
        [.. Shapes.Select((s, i) => nn.Parameter(linspace(-1, 1 + i, s.Aggregate(1L, (a, b) => a * b), type).view(s)))];

    private static Tensor Gradient(long[] shape, ScalarType type, int step)
    {
        long n = shape.Aggregate(1L, (a, b) => a * b);
        return (arange(n, dtype: type) * 0.37 + step).sin().mul_(Math.Pow(10, (step % 5) - 3)).view(shape);
    }

    private static void AssertNear(Tensor expected, Tensor actual, double tolerance)
    {
        using var _ = no_grad();
        double difference = (expected - actual).abs().max().to_type(ScalarType.Float64).item<double>();
        Assert.True(difference <= tolerance, $"They differ by {difference}; at most {tolerance} is allowed.");
    }
}
