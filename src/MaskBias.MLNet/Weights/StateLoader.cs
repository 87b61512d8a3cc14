using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights;

/// <summary>Fills modules with the tensors of a file, strictly: names and shapes must match one to one.</summary>
internal static class StateLoader
{
    private const int MaxFaults = 20;

    private static readonly ParallelOptions Readers = new() { MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, 4) };

    /// <summary>Copies tensors into one module.</summary>
    /// <param name="module">The module; it may be on any device.</param>
    /// <param name="file">The tensors.</param>
    /// <param name="prefix">What precedes the names in the file, such as <c>backbone.</c>; names without it are left alone.</param>
    /// <exception cref="InvalidDataException">Tensors are missing, unexpected or of another shape or kind; nothing was copied.</exception>
    public static void Load(nn.Module module, ITensorSource file, string prefix = "") => Load([(prefix, module)], file, wholeFile: false);

    /// <summary>Copies tensors into several modules, each with its prefix.</summary>
    /// <param name="parts">Prefixes and modules.</param>
    /// <param name="file">The tensors.</param>
    /// <param name="wholeFile">Whether names without any of the prefixes are faults.</param>
    /// <exception cref="InvalidDataException">Tensors are missing, unexpected or of another shape or kind; nothing was copied.</exception>
    public static void Load(IReadOnlyList<(string Prefix, nn.Module Module)> parts, ITensorSource file, bool wholeFile = true)
    {
        var targets = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (prefix, module) in parts)
        {
            foreach (var (name, tensor) in module.state_dict()) targets.Add(prefix + name, tensor);
        }
        Load(targets, file, file.Entries.Where(e => wholeFile || parts.Any(p => e.Name.StartsWith(p.Prefix, StringComparison.Ordinal))));
    }

    /// <summary>Copies all tensors of a file to where they belong.</summary>
    /// <param name="targets">A tensor for every name in the file.</param>
    /// <param name="file">The tensors.</param>
    /// <exception cref="InvalidDataException">Tensors are missing, unexpected or of another shape or kind; nothing was copied.</exception>
    public static void Load(IReadOnlyDictionary<string, Tensor> targets, ITensorSource file) => Load(targets, file, file.Entries);

    private static void Load(IReadOnlyDictionary<string, Tensor> targets, ITensorSource file, IEnumerable<SafetensorsEntry> entries)
    {
        var read = entries.ToList();
        Check(targets, read.ToDictionary(e => e.Name, StringComparer.Ordinal), file.Path);
        try
        {
            // In the file's order, so that the system reads ahead; while one thread waits for the disk, another copies.
            Parallel.ForEach(Partitioner.Create(read, EnumerablePartitionerOptions.NoBuffering), Readers, entry =>
            {
                using var _ = no_grad();
                file.ReadInto(entry.Name, targets[entry.Name]);
            });
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private static void Check(IReadOnlyDictionary<string, Tensor> targets, Dictionary<string, SafetensorsEntry> entries, string file)
    {
        var missing = targets.Where(t => !entries.ContainsKey(t.Key)).Select(t => $"{t.Key} {Print(t.Value.shape)} is missing");
        var unexpected = entries.Values.Where(e => !targets.ContainsKey(e.Name)).Select(e => $"{e.Name} {Print(e.Shape)} is unexpected");
        var misfits = targets.Where(t => entries.ContainsKey(t.Key)).Select(t => Misfit(t.Value, entries[t.Key])).OfType<string>();
        var faults = missing.Concat(unexpected).Concat(misfits).ToList();
        if (faults.Count == 0) return;

        string list = string.Concat(faults.Take(MaxFaults).Select(f => "\n  - " + f));
        string rest = faults.Count > MaxFaults ? $"\n  … and {faults.Count - MaxFaults} more" : "";
        throw new InvalidDataException($"{file} does not fit this architecture; {faults.Count} of the tensors are at fault:{list}{rest}");
    }

    private static string? Misfit(Tensor target, SafetensorsEntry entry)
    {
        if (!target.shape.SequenceEqual(entry.Shape)) return $"{entry.Name} is {Print(entry.Shape)}; it must be {Print(target.shape)}";
        return entry.IsFloating == SafetensorsEntry.IsFloatingType(target.dtype) ? null : $"{entry.Name} is {entry.DType}; it must be {target.dtype}";
    }

    private static string Print(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
