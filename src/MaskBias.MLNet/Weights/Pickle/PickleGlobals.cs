using System.Text;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>
/// The few types and functions that a checkpoint of weights may name. All others are refused by name; none is looked up or run.
/// </summary>
internal sealed class PickleGlobals
{
    private const string TensorUtilities = "torch._utils.";

    private static readonly string[] Namespaces = ["argparse.Namespace", "types.SimpleNamespace"];

    // Types that are only ever arguments of others.
    private static readonly string[] Markers =
        ["torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "builtins.object", "__builtin__.object"];

    private readonly AllocationBudget budget;
    private readonly Dictionary<string, object> known = new(StringComparer.Ordinal);

    public PickleGlobals(AllocationBudget budget)
    {
        this.budget = budget;
        foreach (string name in Namespaces) Define(name, _ => new PickleNamespace(name));
        foreach (string name in Markers) Define(name, _ => throw new InvalidDataException($"{name} is called, which is not expected"));
        foreach (string module in (string[])["builtins.", "__builtin__."])
        {
            Define(module + "set", a => new PickleSet(a is [List<object?> items] ? items : []));
            Define(module + "frozenset", a => new PickleSet(a is [List<object?> items] ? items : []));
            Define(module + "list", a => a is [List<object?> items] ? items : new List<object?>());
            Define(module + "dict", a => Dictionary(a));
            Define(module + "complex", a => a);
        }
        Define("collections.OrderedDict", Dictionary);
        Define("collections.defaultdict", a => Dictionary(a.Length > 1 ? a[1..] : []));
        foreach (string name in (string[])["Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"])
            Define("pathlib." + name, Path);
        Define("_codecs.encode", a => a is [string text, "latin1" or "latin-1"] ? Latin1(text) : throw Bad("_codecs.encode"));
        Define("numpy.dtype", a => a is [string code, ..] ? new NumpyType(code) : throw Bad("numpy.dtype"));
        foreach (string module in (string[])["numpy.core.multiarray.", "numpy._core.multiarray."])
            Define(module + "scalar", a => a is [NumpyType type, byte[] bytes] ? type.Decode(bytes) : throw Bad("numpy's scalar"));
        Define("copyreg._reconstructor", Reconstruct);
        Define("copy_reg._reconstructor", Reconstruct);
        Define("torch.Size", a => a is [object?[] sizes] ? sizes : throw Bad("torch.Size"));
        Define("torch.device", a => a is [string, ..] ? a[0] : throw Bad("torch.device"));
        Define(TensorUtilities + "_rebuild_tensor", a => Tensor(a, null));
        Define(TensorUtilities + "_rebuild_tensor_v2", a => Tensor(a, null));
        Define(TensorUtilities + "_rebuild_tensor_v3",
            a => Tensor(a, a is [_, _, _, _, _, _, ScalarType type, ..] ? type : throw Bad("_rebuild_tensor_v3")));
        Define(TensorUtilities + "_rebuild_parameter", Parameter);
        Define(TensorUtilities + "_rebuild_parameter_with_state", Parameter);
        Define("torch._tensor._rebuild_from_type_v2", a => a is [PickleFunction { Name: var name } rebuild, _, object?[] arguments, ..]
            && name.StartsWith(TensorUtilities, StringComparison.Ordinal) ? rebuild.Call(arguments) : throw Bad("_rebuild_from_type_v2"));
        known["torch.storage.UntypedStorage"] = known["torch.UntypedStorage"] = new StorageType(ScalarType.Byte);
    }

    /// <summary>What a global stands for: a <see cref="PickleFunction"/>, a <see cref="StorageType"/> or a type of elements.</summary>
    /// <exception cref="InvalidDataException">It is not one of those allowed.</exception>
    public object Find(string module, string name)
    {
        string full = $"{module}.{name}";
        budget.Charge(128 + 2 * full.Length);
        if (known.TryGetValue(full, out object? value)) return value;
        if (module is "torch" or "torch.storage" or "torch.cuda")
        {
            if (PyTorchTypes.OfStorage(name) is { } elements) return new StorageType(elements);
            if (PyTorchTypes.OfName(name) is { } type) return type;
        }
        throw new InvalidDataException($"it names {full}, which is not among what weights are made of; it may be code, and none of "
            + "it was run. If the file is yours, save its state_dict alone (torch.save(model.state_dict(), …)) or convert it to "
            + "safetensors");
    }

    /// <summary>The storage that a persistent name of PyTorch's describes.</summary>
    public static PickledStorage Storage(object? name)
    {
        if (name is not (object?[] parts and ["storage", StorageType { Elements: var type }, string key, string, long count, ..])
            || count < 0)
            throw Bad("the name of a storage");
        if (parts is [_, _, _, _, _, object?[] view])
        {
            if (view is not [string, long start, long length] || start < 0 || length < 0 || start > count - length)
                throw Bad("the view of a storage");
            return new(type, key, start, length, count);
        }
        return new(type, key, 0, count, count);
    }

    private void Define(string name, Func<object?[], object?> call) => known[name] = new PickleFunction(name, call);

    private PickleDictionary Dictionary(object?[] arguments)
    {
        var dictionary = new PickleDictionary();
        if (arguments is [List<object?> pairs])
        {
            budget.Charge(pairs.Count * (long)PickleDictionary.ItemSize);
            foreach (object? pair in pairs)
            {
                // old files write the pairs as lists
                if (pair is object?[] { Length: 2 } two) dictionary.Set(two[0], two[1]);
                else if (pair is List<object?> { Count: 2 } items) dictionary.Set(items[0], items[1]);
                else throw Bad("a dictionary");
            }
        }
        else if (arguments is [PickleDictionary other])
        {
            budget.Charge(other.Count * (long)PickleDictionary.ItemSize);
            foreach (var (key, value) in other.Items) dictionary.Set(key, value);
        }
        else if (arguments.Length > 0) throw Bad("a dictionary");
        return dictionary;
    }

    // One text may be encoded any number of times.
    private byte[] Latin1(string text)
    {
        budget.Charge(64 + text.Length);
        return Encoding.Latin1.GetBytes(text);
    }

    private string Path(object?[] parts)
    {
        budget.Charge(parts.OfType<string>().Sum(p => 2L * p.Length + 8));
        return string.Join('/', parts.OfType<string>());
    }

    private static object? Reconstruct(object?[] arguments) =>
        arguments is [PickleFunction { Name: var name } type, ..] && Namespaces.Contains(name) ? type.Call([])
            : throw Bad("_reconstructor");

    private static object? Parameter(object?[] arguments) => arguments is [PickledTensor data, ..] ? data : throw Bad("a parameter");

    // (storage, offset, shape, strides, …)
    private static PickledTensor Tensor(object?[] arguments, ScalarType? type) =>
        arguments is [PickledStorage storage, long start, object?[] shape, object?[] strides, ..]
            ? PickledTensor.Create(storage, type ?? storage.Type, start, Numbers(shape), Numbers(strides)) : throw Bad("a tensor");

    private static long[] Numbers(object?[] values) =>
        values.All(v => v is long) ? [.. values.Cast<long>()]
            : throw new InvalidDataException("a tensor's shape or strides are not whole numbers");

    private static InvalidDataException Bad(string what) => new($"{what} is not built as PyTorch does");
}
