using MaskBias.MLNet.Experiments.Search;

namespace MaskBias.MLNet.Tests.Experiments;

public sealed class SearchTests
{
    private static readonly SearchParameter<double> X = SearchParameter.LogRange("X", 1e-4, 1, start: 1);
    private static readonly SearchParameter<int> N = SearchParameter.LogIntegers("N", 1, 1000, start: 1);
    private static readonly SearchParameter<string> C = SearchParameter.Choice("C", "a", "b", "c");
    private static readonly SearchSpace Space = new([X, N, C]);

    [Fact]
    public void Parameters_start_where_they_say_and_cover_their_range()
    {
        double[] start = Space.Start;
        Assert.Equal((1.0, 1, "a"), (Space.Value(X, start), Space.Value(N, start), Space.Value(C, start)));
        Assert.Equal((1e-4, 1, "a"), (Space.Value(X, [0, 0, 0]), Space.Value(N, [0, 0, 0]), Space.Value(C, [0, 0, 0])));
        Assert.Equal((1000, "c"), (Space.Value(N, [0, 1 - 1e-9, 1 - 1e-9]), Space.Value(C, [0, 1 - 1e-9, 1 - 1e-9])));
        Assert.Equal(0.01, Space.Value(X, [0.5, 0, 0]));
        Assert.Equal(5.0, SearchParameter.Range("Y", 0, 10, 5).ValueAt(SearchParameter.Range("Y", 0, 10, 5).Start));
        Assert.Equal("X=0.01 N=32 C=b", string.Join(' ', Space.Print([0.5, 0.5, 0.5]).Select(p => $"{p.Key}={p.Value}")));
    }

    [Fact]
    public void Steps_stay_inside_turning_back_at_ends_and_going_round_choices()
    {
        var random = new Random(1);
        for (int i = 0; i < 1000; i++)
        {
            double[] from = [random.NextDouble(), random.NextDouble(), random.NextDouble()];
            Assert.All(Space.Move(from, [4 * random.NextDouble() - 2, 1, -3], 1.7), place => Assert.InRange(place, 0, 1 - 1e-12));
        }
        Assert.Equal([0.1, 0.8, 0.15], Space.Move([0.1, 0.9, 0.9], [-0.2, 0.3, 0.2], 1), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Direct_search_comes_close_to_the_best_point_and_repeats_nothing()
    {
        var search = new DirectSearch(Space);
        var tried = new HashSet<string>();
        double best = double.PositiveInfinity;
        for (int i = 0; i < 80; i++)
        {
            double[] point = search.Next(new Random(i))!;
            Assert.True(tried.Add(Space.Key(point)));
            double loss = Math.Pow(Math.Log10(Space.Value(X, point)) + 2, 2) + Math.Pow(Math.Log10(Space.Value(N, point)) - 2, 2) + (Space.Value(C, point) == "c" ? 0 : 1);
            best = Math.Min(best, loss);
            search.Tell(point, loss);
        }
        Assert.True(best < 0.1, $"{best}");                 // 9 at the start; a random point of 80 comes to 0.1 one time in three
    }

    [Fact]
    public void A_space_of_choices_is_tried_to_its_end()
    {
        var arm = new SearchArm(new([C]), 1);
        var search = new CostFrugalSearch([arm], 100, countsTrials: true, seed: 1);
        for (int i = 0; i < 3; i++)
        {
            var next = search.Next(100)!.Value;
            search.Tell(next.Arm, next.Point, i, 0.1);
        }
        Assert.Null(search.Next(97));
        Assert.True(search.IsExhausted);
    }

    [Fact]
    public void Cheap_ones_come_first_and_each_gets_its_share_of_the_time()
    {
        double[] seconds = [0.1, 1, 20, 400], spent = new double[4];
        var arms = seconds.Select(s => new SearchArm(Space, s)).ToList();
        var search = new CostFrugalSearch(arms, 180, countsTrials: false, seed: 1);
        var order = new List<int>();
        double left = 180;
        var random = new Random(5);
        while (search.Next(left) is { } next)
        {
            order.Add(next.Arm);
            spent[next.Arm] += seconds[next.Arm];
            left -= seconds[next.Arm];
            search.Tell(next.Arm, next.Point, random.NextDouble(), seconds[next.Arm]);
        }
        Assert.Equal([0, 1], order.Take(2));
        Assert.Contains(2, order);
        Assert.DoesNotContain(3, order);                    // it cannot end in time
        Assert.True(left is < 20 and >= 0, $"{left}");
        Assert.All(spent[..3], s => Assert.True(s > 5, string.Join(' ', spent)));
    }

    [Fact]
    public void With_a_budget_of_trials_each_candidate_gets_its_start_and_failures_are_given_up()
    {
        var arms = new[] { 400.0, 1, 20 }.Select(c => new SearchArm(Space, c)).ToList();
        var search = new CostFrugalSearch(arms, 30, countsTrials: true, seed: 1);
        var order = new List<int>();
        for (int left = 30; left > 0; left--)
        {
            var next = search.Next(left)!.Value;
            order.Add(next.Arm);
            search.Tell(next.Arm, next.Point, next.Arm == 0 ? double.PositiveInfinity : 1.0 / order.Count, 1);
        }
        Assert.Equal([1, 2, 0], order.Take(3));
        Assert.True(arms[0].IsClosed);
        Assert.Equal(3, order.Count(a => a == 0));
    }
}
