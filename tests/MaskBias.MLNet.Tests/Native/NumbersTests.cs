using System.Buffers.Binary;
using System.Reflection;
using MaskBias.MLNet.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Native;

/// <summary>Operands of tensor operations live until they have been read.</summary>
[Collection(nameof(LiveTensors))]               // a collector that never rests would hold up all other tests
public class NumbersTests
{
    private const byte Call = 0x28, CallVirtual = 0x6F, New = 0x73;
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    [Fact]
    public void No_code_of_the_library_leaves_a_number_to_the_collector()
    {
        var loose = LooseNumbers(typeof(Numbers).Assembly);
        Assert.True(loose.Count == 0, $"Wrap the numbers in {nameof(Numbers.Number)} in {string.Join(", ", loose)}: see {nameof(Numbers)} for why.");
    }

    [Fact]
    public void This_code_does_which_shows_that_the_search_finds_them()
    {
        var loose = LooseNumbers(typeof(NumbersTests).Assembly);
        Assert.Contains($"{nameof(NumbersTests)}.{nameof(Loose)}", loose);
        Assert.Contains($"{nameof(NumbersTests)}.{nameof(LooseInPlace)}", loose);
        Assert.Contains($"{nameof(NumbersTests)}.{nameof(LooseSum)}", loose);
        Assert.Contains($"{nameof(NumbersTests)}.{nameof(LooseDifference)}", loose);
        Assert.DoesNotContain($"{nameof(NumbersTests)}.{nameof(Numbers_are_right_through_many_collections)}", loose);
    }

    [Fact]
    public void Numbers_are_right_through_many_collections()
    {
        using var values = ones(4);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var collecting = new Thread(() =>
        {
            while (!stop.IsCancellationRequested) GC.Collect(0, GCCollectionMode.Forced, blocking: true);
        });
        collecting.Start();
        try
        {
            while (!stop.IsCancellationRequested)
            {
                // add_ with one operand makes a number of its own, which nothing holds.
                values.mul_(Numbers.Number(2)).mul_(Numbers.Number(0.5)).add_(Numbers.Number(3), alpha: Numbers.Number(1)).sub_(Numbers.Number(3L));
                Assert.Equal(1, values[0].item<float>());
            }
        }
        finally
        {
            stop.Cancel();                              // or it would collect for ever
            collecting.Join();
        }
    }

    private static Tensor Loose(Tensor x) => x * 0.5;

    private static Tensor LooseInPlace(Tensor x) => x.mul_(0.5);

    private static Tensor LooseSum(Tensor x) => x + x;

    private static Tensor LooseDifference(Tensor x) => Numbers.Number(1) - x;

    // What calls something of TorchSharp that makes a number which nothing holds, itself or in what it calls.
    private static List<string> LooseNumbers(Assembly code)
    {
        var calls = Calls(typeof(Tensor).Assembly);
        var makers = calls.Keys.Where(m => m.Name == "op_Implicit" && m.DeclaringType == typeof(Scalar)
            || m.Name == nameof(ScalarExtensionMethods.ToScalar) && m.DeclaringType == typeof(ScalarExtensionMethods)).ToHashSet();
        while (calls.Where(c => !makers.Contains(c.Key) && c.Value.Overlaps(makers)).Select(c => c.Key).ToList() is { Count: > 0 } found) makers.UnionWith(found);
        Assert.InRange(makers.Count, 100, 1000);
        makers.RemoveWhere(m => m.DeclaringType == typeof(jit.CompilationUnit));               // is given numbers that are held
        return [.. Calls(code).Where(c => c.Value.Overlaps(makers)).Select(c => $"{c.Key.DeclaringType!.Name}.{c.Key.Name}")
            .Where(name => name != $"{nameof(Numbers)}.{nameof(Numbers.Number)}")];
    }

    private static Dictionary<MethodBase, HashSet<MethodBase>> Calls(Assembly code) => code.GetTypes()
        .SelectMany(type => type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        .ToDictionary(method => method, Called);

    // A number in the code may look like a call, which does no harm: it would name a method that is not there, or one too many.
    private static HashSet<MethodBase> Called(MethodBase method)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var called = new HashSet<MethodBase>();
        for (int i = 0; i + 4 < code.Length; i++)
        {
            if (code[i] is Call or CallVirtual or New && Resolve(method, BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(i + 1))) is { } found) called.Add(found);
        }
        return called;
    }

    private static MethodBase? Resolve(MethodBase method, int token)
    {
        if (token >> 24 is not (0x06 or 0x0A or 0x2B)) return null;                 // definitions, references and instances of methods
        var (ofType, ofMethod) = (method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null, method.IsGenericMethod ? method.GetGenericArguments() : null);
        try
        {
            return method.Module.ResolveMethod(token, ofType, ofMethod);
        }
        catch (Exception e) when (e is ArgumentException or BadImageFormatException or TypeLoadException or FileNotFoundException or MissingMethodException)
        {
            return null;
        }
    }
}
