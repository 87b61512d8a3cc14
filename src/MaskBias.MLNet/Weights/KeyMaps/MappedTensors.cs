using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>The tensors of a file under the names of this library: renamed, joined or reshaped as they are read.</summary>
internal sealed class MappedTensors(ITensorSource file) : ITensorSource
{
    // Source is the tensor that is taken as it is, or null where it is made of others.
    private readonly Dictionary<string, (SafetensorsEntry Entry, Func<Tensor> Read, string? Source)> tensors = new(StringComparer.Ordinal);
    private readonly List<string> leftOut = [];

    /// <inheritdoc/>
    public string Path => file.Path;

    /// <inheritdoc/>
    public IReadOnlyList<SafetensorsEntry> Entries => [.. tensors.Values.Select(t => t.Entry)];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => file.Metadata;

    /// <summary>Tensors of the file that are not taken.</summary>
    public IReadOnlyList<string> LeftOut => leftOut;

    /// <summary>The file's tensors.</summary>
    public ITensorSource File => file;

    public bool Contains(string name) => tensors.ContainsKey(name);

    public SafetensorsEntry? Find(string name) => tensors.TryGetValue(name, out var known) ? known.Entry : null;

    public IReadOnlyList<long> Shape(string name) =>
        Find(name)?.Shape ?? throw new InvalidDataException($"{Path} is not a checkpoint that can be loaded: {name} is missing.");

    /// <inheritdoc/>
    public Tensor Read(string name) => tensors[name].Read();

    /// <inheritdoc/>
    public void ReadInto(string name, Tensor target)
    {
        if (tensors[name].Source is { } source)
        {
            file.ReadInto(source, target);
            return;
        }
        using var scope = NewDisposeScope();
        target.copy_(Read(name));
    }

    /// <summary>Takes a tensor under a new name.</summary>
    public void Add(string name, SafetensorsEntry source) => Add(name, source, source.Shape, () => file.Read(source.Name), source.Name);

    /// <summary>Takes a tensor made of others.</summary>
    public void Add(string name, SafetensorsEntry first, IReadOnlyList<long> shape, Func<Tensor> read) => Add(name, first, shape, read, null);

    private void Add(string name, SafetensorsEntry source, IReadOnlyList<long> shape, Func<Tensor> read, string? whole)
    {
        if (!tensors.TryAdd(name, (new(name, source.DType, [.. shape]), read, whole)))
            throw new InvalidDataException($"{Path}: {source.Name} and another tensor are both {name}.");
    }

    /// <summary>Replaces a tensor by what a function makes of it.</summary>
    public void Change(string name, IReadOnlyList<long> shape, Func<Tensor, Tensor> change)
    {
        var (entry, read, _) = tensors[name];
        tensors[name] = (entry with { Shape = shape }, () =>
        {
            using var scope = NewDisposeScope();
            return change(read()).MoveToOuterDisposeScope();
        }, null);
    }

    public void Rename(string name, string newName)
    {
        if (!tensors.Remove(name, out var known)) return;
        if (!tensors.TryAdd(newName, (known.Entry with { Name = newName }, known.Read, known.Source)))
            throw new InvalidDataException($"{Path}: {name} and {newName} are both there.");
    }

    public void LeaveOut(string name) => leftOut.Add(name);

    /// <summary>Removes a tensor that was taken.</summary>
    public void Drop(string name)
    {
        if (tensors.Remove(name)) leftOut.Add(name);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
