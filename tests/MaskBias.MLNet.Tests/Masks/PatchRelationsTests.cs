using MaskBias.MLNet.Masks;
using MaskBias.MLNet.Native;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Masks;

public class PatchRelationsTests
{
    private const int Batch = 2, Patches = 7;

    public PatchRelationsTests() => TorchRuntime.EnsureLoaded();

    public static TheoryData<RelationKind, int> Cases
    {
        get
        {
            var cases = new TheoryData<RelationKind, int>();
            foreach (var kind in Enum.GetValues<RelationKind>())
            {
                foreach (int count in new[] { 0, 1, 2, 5 }) cases.Add(kind, count);
            }
            return cases;
        }
    }

    [Fact]
    public void Several_masks_at_a_time_are_as_each_alone()
    {
        using var scope = NewDisposeScope();
        var tokens = tensor(Shares(5), [Batch, 5, Patches]);
        var expected = PatchRelations.From(tokens, MaskRelation.Positive, RelationKind.Soft, prefixTokens: 0).Positive!;
        foreach (long elements in new[] { 1, 2 * Batch * Patches * Patches, 1 << 20 })
            Assert.True(expected.equal(PatchRelations.SharedMaskInLaunches(tokens, elements)).all().ToBoolean());
        Assert.Equal(0, PatchRelations.SharedMaskInLaunches(tokens[.., ..0], 1 << 20).abs().sum().ToDouble());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Both_relations_follow_their_formulas(RelationKind kind, int count)
    {
        float[] shares = Shares(count);
        using var scope = NewDisposeScope();
        var (positive, negative) = PatchRelations.From(tensor(shares, [Batch, count, Patches]), MaskRelation.Both, kind);
        AssertShape(positive!);
        AssertShape(negative!);

        for (int b = 0; b < Batch; b++)
        {
            for (int i = 0; i <= Patches; i++)
            {
                for (int j = 0; j <= Patches; j++)
                {
                    var (same, different) = i == 0 || j == 0 ? (0, 0) : Reference(shares, b, count, i - 1, j - 1, kind);
                    Assert.Equal(same, positive![b, i, j].item<float>(), 1e-6);
                    Assert.Equal(different, negative![b, i, j].item<float>(), 1e-6);
                }
            }
        }
    }

    [Theory]
    [InlineData(RelationKind.Soft)]
    [InlineData(RelationKind.Binary)]
    [InlineData(RelationKind.Cosine)]
    public void Relations_are_symmetric_and_do_not_depend_on_the_order_of_the_masks(RelationKind kind)
    {
        using var scope = NewDisposeScope();
        var masks = tensor(Shares(6), [Batch, 6, Patches]);
        var (positive, negative) = PatchRelations.From(masks, MaskRelation.Both, kind);
        var (samePositive, sameNegative) =
            PatchRelations.From(masks.index_select(1, tensor(new long[] { 4, 0, 5, 3, 1, 2 })), MaskRelation.Both, kind);

        Assert.True(positive!.allclose(positive.transpose(1, 2), 0, 1e-6));
        Assert.True(negative!.allclose(negative.transpose(1, 2), 0, 1e-6));
        Assert.True(positive.allclose(samePositive!, 0, 1e-6));
        Assert.True(negative.allclose(sameNegative!, 0, 1e-6));
    }

    [Fact]
    public void A_relation_that_is_not_asked_for_is_null_and_the_other_unchanged()
    {
        using var scope = NewDisposeScope();
        var masks = tensor(Shares(3), [Batch, 3, Patches]);
        var both = PatchRelations.From(masks, MaskRelation.Both, RelationKind.Soft);
        var positive = PatchRelations.From(masks, MaskRelation.Positive, RelationKind.Soft);
        var negative = PatchRelations.From(masks, MaskRelation.Negative, RelationKind.Soft);

        Assert.Null(positive.Negative);
        Assert.Null(negative.Positive);
        Assert.True(both.Positive!.equal(positive.Positive!).all().item<bool>());
        Assert.True(both.Negative!.equal(negative.Negative!).all().item<bool>());
    }

    [Fact]
    public void A_large_batch_gives_each_image_its_own_relations()
    {
        using var scope = NewDisposeScope();
        var masks = rand(7, 3, 300);                                   // more than is computed at a time
        var whole = PatchRelations.From(masks, MaskRelation.Both, RelationKind.Soft);
        Assert.Equal([7, 301, 301], whole.Positive!.shape);
        for (int b = 0; b < 7; b++)
        {
            var single = PatchRelations.From(masks.narrow(0, b, 1), MaskRelation.Both, RelationKind.Soft);
            Assert.True(single.Positive!.equal(whole.Positive.narrow(0, b, 1)).all().item<bool>());
            Assert.True(single.Negative!.equal(whole.Negative!.narrow(0, b, 1)).all().item<bool>());
        }
    }

    [Fact]
    public void Only_the_relations_stay_alive()
    {
        using var outer = NewDisposeScope();
        var masks = tensor(Shares(5), [Batch, 5, Patches]);
        long before = outer.DisposablesCount;
        foreach (var kind in Enum.GetValues<RelationKind>())
        {
            PatchRelations.From(masks, MaskRelation.Both, kind);
            before += 2;
            Assert.Equal(before, outer.DisposablesCount);
        }
    }

    [Fact]
    public void Mask_tokens_of_another_rank_are_refused()
    {
        using var scope = NewDisposeScope();
        var fault = Assert.Throws<ArgumentException>(() => PatchRelations.From(zeros(4, 5), MaskRelation.Both, RelationKind.Soft));
        Assert.Contains("2 dimensions; they must be [batch, masks, patches]", fault.Message);
    }

    private static void AssertShape(Tensor relation) => Assert.Equal([Batch, Patches + 1, Patches + 1], relation.shape);

    // One patch of each image is covered by nothing; some shares are exactly 0, 0.5 and 1.
    private static float[] Shares(int count)
    {
        var random = new Random(count);
        float[] special = [0, 0.5f, 1];
        float[] shares = new float[Batch * count * Patches];
        for (int i = 0; i < shares.Length; i++)
            shares[i] = i % Patches == 3 ? 0 : random.Next(3) > 0 ? random.NextSingle() : special[random.Next(3)];
        return shares;
    }

    private static (double Same, double Different) Reference(float[] shares, int b, int count, int i, int j, RelationKind kind)
    {
        var vectors = Enumerable.Range(0, count).Select(k => (b * count + k) * Patches)
            .Select(o => (I: (double)shares[o + i], J: (double)shares[o + j])).ToList();
        double coveredI = vectors.Select(m => m.I).DefaultIfEmpty().Max(), coveredJ = vectors.Select(m => m.J).DefaultIfEmpty().Max();
        double same = vectors.Select(m => Math.Min(m.I, m.J)).DefaultIfEmpty().Max();
        switch (kind)
        {
            case RelationKind.Binary:
                (coveredI, coveredJ, same) = (coveredI >= 0.5 ? 1 : 0, coveredJ >= 0.5 ? 1 : 0, same >= 0.5 ? 1 : 0);
                break;
            case RelationKind.Cosine:
                double norms = Math.Sqrt(vectors.Sum(m => m.I * m.I) * vectors.Sum(m => m.J * m.J));
                same = norms == 0 ? 0 : vectors.Sum(m => m.I * m.J) / norms;
                break;
        }
        return (same, Math.Max(0, Math.Min(coveredI, coveredJ) - same));
    }
}
