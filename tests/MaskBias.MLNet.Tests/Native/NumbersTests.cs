using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using MaskBias.MLNet.Native;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Tests.Native;

/// <summary>Operands of tensor operations live until they have been read.</summary>
public class NumbersTests
{
    // Types of a parameter that TorchSharp would turn into a number that nothing holds: int, long, float, double.
    private static readonly byte[] NumberTypes = [(byte)SignatureTypeCode.Int32, (byte)SignatureTypeCode.Int64, (byte)SignatureTypeCode.Single, (byte)SignatureTypeCode.Double];

    private const byte Call = 0x28;

    // Start, stop, step, type, device, gradient; what leaves out a number makes it.
    private const int WholeArange = 6;

    [Fact]
    public void No_code_of_the_library_leaves_a_number_to_the_collector()
    {
        var loose = LooseNumbers(typeof(Numbers).Assembly.Location);
        Assert.True(loose.Count == 0, $"Wrap the numbers in {nameof(Numbers.Number)} in {string.Join(", ", loose)}: see {nameof(Numbers)} for why.");
    }

    [Fact]
    public void This_code_does_which_shows_that_the_search_finds_them()
    {
        var loose = LooseNumbers(typeof(NumbersTests).Assembly.Location);
        Assert.Contains($"{nameof(NumbersTests)}.{nameof(Loose)}", loose);
        Assert.Contains($"{nameof(NumbersTests)}.{nameof(LooseInPlace)}", loose);
        Assert.Contains($"{nameof(NumbersTests)}.{nameof(LooseSum)}", loose);
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
            stop.Cancel();                              // or it would collect for ever, beside all other tests
            collecting.Join();
        }
    }

    private static Tensor Loose(Tensor x) => x * 0.5;

    private static Tensor LooseInPlace(Tensor x) => x.mul_(0.5);

    private static Tensor LooseSum(Tensor x) => x + x;

    private static List<string> LooseNumbers(string file)
    {
        using var executable = new PEReader(File.OpenRead(file));
        var metadata = executable.GetMetadataReader();
        var makers = metadata.MemberReferences.Where(m => MakesNumber(metadata, metadata.GetMemberReference(m))).Select(m => MetadataTokens.GetToken(m)).ToHashSet();
        return [.. metadata.MethodDefinitions.Select(metadata.GetMethodDefinition)
            .Where(m => m.RelativeVirtualAddress != 0 && Calls(executable.GetMethodBody(m.RelativeVirtualAddress).GetILBytes()!, makers))
            .Select(m => $"{metadata.GetString(metadata.GetTypeDefinition(m.GetDeclaringType()).Name)}.{metadata.GetString(m.Name)}")
            .Where(name => !name.StartsWith(nameof(Numbers) + ".", StringComparison.Ordinal))];
    }

    // Scalar's conversions, and Tensor's operators with a plain number, which use them.
    private static bool MakesNumber(MetadataReader metadata, MemberReference member)
    {
        if (member.Parent.Kind != HandleKind.TypeReference || member.GetKind() != MemberReferenceKind.Method) return false;
        string type = metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)member.Parent).Name), name = metadata.GetString(member.Name);
        if (name == "ToScalar") return true;
        if (type is not ("Scalar" or "Tensor" or "torch")) return false;
        var (parameters, types) = Signature(metadata.GetBlobReader(member.Signature));
        return (type, name) switch
        {
            ("Scalar", "op_Implicit") => true,
            ("Tensor", "op_Addition" or "square") => true,                      // with a number of their own
            ("Tensor", "add" or "add_") => parameters == 1,
            ("torch", "arange") => parameters < WholeArange,
            ("Tensor", _) => name.StartsWith("op_", StringComparison.Ordinal) && types.Any(NumberTypes.Contains),
            _ => false,
        };
    }

    // Number of parameters, and the codes of the types. What a class or structure is follows its code, and may look like one.
    private static (int Parameters, List<byte> Types) Signature(BlobReader signature)
    {
        _ = signature.ReadByte();                               // convention
        int parameters = signature.ReadCompressedInteger();
        var types = new List<byte>();
        while (signature.RemainingBytes > 0)
        {
            types.Add(signature.ReadByte());
            if (types[^1] is (byte)SignatureTypeKind.Class or (byte)SignatureTypeKind.ValueType) _ = signature.ReadCompressedInteger();
        }
        return (parameters, types);
    }

    private static bool Calls(byte[] code, HashSet<int> methods)
    {
        for (int i = 0; i + 4 < code.Length; i++)
        {
            if (code[i] == Call && methods.Contains(BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(i + 1)))) return true;
        }
        return false;
    }
}
