using System.Runtime.InteropServices;
using Google.Protobuf;
using MaskBias.MLNet.Weights.Onnx.Proto;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Onnx;

/// <summary>Builds an ONNX graph node by node. Values are named after the nodes that make them; names are kept unique.</summary>
internal sealed class OnnxGraph
{
    /// <summary>Name of the dimension whose size the caller chooses.</summary>
    public const string BatchDimension = "batch";

    /// <summary>What a graph of this library names as its producer.</summary>
    public const string Producer = "MaskBias.MLNet";

    public const int OpsetVersion = 18;         // the first whose Resize antialiases, as some position embeddings are resampled
    private const int IrVersion = 8;            // of the same release
    private const long MaxWeightBytes = int.MaxValue - (1 << 20);

    private readonly OnnxDimension batch;
    private readonly bool halfPrecision;
    private readonly GraphProto graph = new() { Name = "encoder" };
    private readonly HashSet<string> names;
    private readonly Dictionary<string, string> integers = new(StringComparer.Ordinal);
    private long weightBytes;

    /// <summary>Starts a graph.</summary>
    /// <param name="batch">Size of the first dimension of its inputs and outputs.</param>
    /// <param name="halfPrecision">
    /// Whether weights of more than one dimension are stored as float16; sums are of float32 all the same.
    /// </param>
    /// <param name="reserved">Names of its inputs and outputs.</param>
    public OnnxGraph(OnnxDimension batch, bool halfPrecision, params IEnumerable<string> reserved)
    {
        (this.batch, this.halfPrecision) = (batch, halfPrecision);
        names = new(reserved, StringComparer.Ordinal);
    }

    /// <summary>Declares an input of floats, [batch, sizes...].</summary>
    public string Input(string name, params OnnxDimension[] sizes)
    {
        graph.Input.Add(Declare(name, sizes));
        return name;
    }

    /// <summary>Declares an output of floats, [batch, sizes...], and gives it the result of the given operation.</summary>
    public void Output(string name, OnnxDimension[] sizes, string operation, string[] inputs, params AttributeProto[] attributes)
    {
        graph.Output.Add(Declare(name, sizes));
        Add(name, operation, inputs, attributes);
    }

    /// <summary>Adds an operation.</summary>
    /// <returns>The name of its result.</returns>
    public string Node(string name, string operation, string[] inputs, params AttributeProto[] attributes)
    {
        string result = Unique(name);
        Add(result, operation, inputs, attributes);
        return result;
    }

    /// <summary>Adds an operation with several results.</summary>
    /// <returns>The names of its results.</returns>
    public string[] Nodes(string operation, string[] names, string[] inputs, params AttributeProto[] attributes)
    {
        string[] results = [.. names.Select(Unique)];
        graph.Node.Add(new NodeProto
        {
            Name = results[0], OpType = operation, Input = { inputs }, Output = { results }, Attribute = { attributes },
        });
        return results;
    }

    /// <summary>Whether weights of so many bytes fit into an ONNX file.</summary>
    public static bool Holds(long weightBytes) => weightBytes <= MaxWeightBytes;

    /// <summary>Stores a tensor, as float32 or, where asked for and not a vector, as float16.</summary>
    public string Weight(string name, Tensor values)
    {
        using var scope = NewDisposeScope();
        bool half = halfPrecision && values.dim() > 1;
        var stored = values.detach().cpu().to(half ? ScalarType.Float16 : ScalarType.Float32).contiguous();
        if (half && !stored.isfinite().all().item<bool>())
            throw new InvalidOperationException($"The weight {name} has values that float16 cannot hold: export it as float32.");
        long length = stored.NumberOfElements * stored.ElementSize;
        weightBytes += length;
        if (!Holds(weightBytes))
            throw new InvalidOperationException($"The weights take more than {MaxWeightBytes} bytes; an ONNX file holds at most 2 GiB.");
        var bytes = new byte[length];
        TensorBytes.Visit(stored, (part, offset) => part.CopyTo(bytes.AsSpan((int)offset)));
        if (!half) return Initializer(name, stored.shape, TensorProto.Types.DataType.Float, bytes);
        string narrow = Initializer($"{name}.float16", stored.shape, TensorProto.Types.DataType.Float16, bytes);
        return Node(name, "Cast", [narrow], Attribute("to", (long)TensorProto.Types.DataType.Float));
    }

    /// <summary>Makes rows of a grid: [B, D, rows, columns] -> [B, rows·columns, D].</summary>
    public string Flatten(string name, string grid, long width)
    {
        string flat = Node($"{name}/flatten", "Reshape", [grid, Integers("flatten/shape", 0, width, -1)]);
        return Node($"{name}/tokens", "Transpose", [flat], Attribute("perm", 0, 2, 1));
    }

    /// <summary>Stores one number as a scalar.</summary>
    public string Scalar(string name, float value) =>
        Initializer(name, [], TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes([value]).ToArray());

    /// <summary>Stores a list of whole numbers: a shape, axes. Equal lists are stored once.</summary>
    public string Integers(string name, params long[] values)
    {
        string key = string.Join(',', values);
        if (!integers.TryGetValue(key, out string? known))
        {
            known = Initializer(name, [values.Length], TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
            integers.Add(key, known);
        }
        return known;
    }

    /// <summary>An attribute that holds a whole number.</summary>
    public static AttributeProto Attribute(string name, long value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    /// <summary>An attribute that holds a number.</summary>
    public static AttributeProto Attribute(string name, float value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    /// <summary>An attribute that holds a name.</summary>
    public static AttributeProto Attribute(string name, string value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    /// <summary>An attribute that holds whole numbers.</summary>
    public static AttributeProto Attribute(string name, params long[] values) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };

    /// <summary>The finished model.</summary>
    public ModelProto Build(string description) => new()
    {
        IrVersion = IrVersion,
        ProducerName = Producer,
        DocString = description,
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = OpsetVersion } },
        Graph = graph,
    };

    private void Add(string name, string operation, string[] inputs, AttributeProto[] attributes) =>
        graph.Node.Add(new NodeProto
        {
            Name = name, OpType = operation, Input = { inputs }, Output = { name }, Attribute = { attributes },
        });

    private string Initializer(string name, long[] shape, TensorProto.Types.DataType type, byte[] data)
    {
        string unique = Unique(name);
        // Wrapped, not copied: the array is nobody else's.
        var values = UnsafeByteOperations.UnsafeWrap(data);
        graph.Initializer.Add(new TensorProto { Name = unique, DataType = type, Dims = { shape }, RawData = values });
        return unique;
    }

    private string Unique(string name)
    {
        string candidate = name;
        for (int i = 1; !names.Add(candidate); i++) candidate = $"{name}_{i}";
        return candidate;
    }

    private ValueInfoProto Declare(string name, OnnxDimension[] sizes)
    {
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(sizes.Prepend(batch).Select(size => size.ToProto()));
        return new() { Name = name, Type = new() { TensorType = new() { ElemType = TensorProto.Types.DataType.Float, Shape = shape } } };
    }
}
