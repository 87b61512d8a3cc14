using System.Numerics;

namespace MaskBias.MLNet.Weights.Pickle;

/// <summary>
/// Reads pickles as plain data. It follows Python's pickle protocols 2 to 5 as PyTorch writes them, knows the types of
/// <see cref="PickleGlobals"/> and no others, and calls nothing else: a pickle can build values and do nothing.
/// </summary>
/// <remarks>
/// Values: null, bool, long, <see cref="BigInteger"/>, double, string, byte[], object?[] for a tuple, List&lt;object?&gt;,
/// <see cref="PickleDictionary"/>, <see cref="PickleSet"/>, <see cref="PickleNamespace"/>, <see cref="PickledTensor"/> and
/// <see cref="PickledStorage"/>. Lists may hold themselves.
/// </remarks>
internal sealed class Unpickler(Stream stream, AllocationBudget budget)
{
    private const int HighestProtocol = 5, NumberSize = 32, ItemSize = 32, ContainerSize = 160, MemoSize = 120;

    private readonly PickleInput input = new(stream, budget);
    private readonly PickleGlobals globals = new(budget);
    private readonly List<object?> stack = [];
    private readonly List<int> marks = [];
    private readonly Dictionary<long, object?> memo = [];
    private readonly Dictionary<string, PickledStorage> storages = new(StringComparer.Ordinal);
    private int highest;

    /// <summary>The storages that were named so far, by their keys.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => storages;

    /// <summary>Reads one pickle; the stream is then at its end.</summary>
    /// <exception cref="InvalidDataException">It is damaged, takes too much, or names what it may not.</exception>
    public object? Load()
    {
        stack.Clear();
        marks.Clear();
        memo.Clear();
        for (byte operation = input.Byte(); operation != '.'; operation = input.Byte()) Run(operation);
        return Pop();
    }

    private void Run(byte operation)
    {
        switch (operation)
        {
            case 0x80: CheckProtocol(input.Byte()); break;
            case 0x95: input.Int64(); break;                                        // FRAME: a hint for buffering

            case (byte)'N': Push(null); break;
            case 0x88: PushNew(true, NumberSize); break;
            case 0x89: PushNew(false, NumberSize); break;
            case (byte)'K': PushNew((long)input.Byte(), NumberSize); break;
            case (byte)'M': PushNew((long)input.UInt16(), NumberSize); break;
            case (byte)'J': PushNew((long)input.Int32(), NumberSize); break;
            case 0x8a: PushLong(input.Byte()); break;
            case 0x8b: PushLong(input.Int32()); break;
            case (byte)'G': PushNew(input.DoubleBigEndian(), NumberSize); break;

            case (byte)'X': Push(input.Utf8(input.UInt32())); break;
            case 0x8c: Push(input.Utf8(input.Byte())); break;
            case 0x8d: Push(input.Utf8(input.Int64())); break;
            case (byte)'T': Push(input.Latin1(input.Int32())); break;
            case (byte)'U': Push(input.Latin1(input.Byte())); break;
            case (byte)'B': Push(input.Bytes(input.UInt32())); break;
            case (byte)'C': Push(input.Bytes(input.Byte())); break;
            case 0x8e or 0x96: Push(input.Bytes(input.Int64())); break;

            case (byte)'(': Charge(8); marks.Add(stack.Count); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'2': Push(Peek()); break;

            case (byte)')': PushNew(Array.Empty<object?>(), 0); break;
            case 0x85: PushTuple(1); break;
            case 0x86: PushTuple(2); break;
            case 0x87: PushTuple(3); break;
            case (byte)'t': Push(PopToMark()); break;
            case (byte)']': PushNew(new List<object?>(), ContainerSize); break;
            case (byte)'l': Push(new List<object?>(PopToMark())); break;
            case (byte)'}': PushNew(new PickleDictionary(), ContainerSize); break;
            case (byte)'d': PushDictionary(); break;
            case 0x8f: PushNew(new PickleSet([]), ContainerSize); break;
            case 0x91: PushNew(new PickleSet([.. PopToMark()]), ContainerSize); break;
            case (byte)'a': Append([Pop()]); break;
            case (byte)'e' or 0x90: Append(PopToMark()); break;
            case (byte)'s': SetItem(); break;
            case (byte)'u': SetItems(PopToMark()); break;

            case (byte)'q': Remember(input.Byte()); break;
            case (byte)'r': Remember(input.UInt32()); break;
            case 0x94: Remember(memo.Count); break;
            case (byte)'h': Recall(input.Byte()); break;
            case (byte)'j': Recall(input.UInt32()); break;

            case (byte)'c': Push(globals.Find(input.Line(), input.Line())); break;
            case 0x93: PushGlobal(); break;
            case (byte)'R' or 0x81: Call(Arguments()); break;
            case 0x92: Pop(); Call(Arguments()); break;                             // keyword arguments: of no type that is known here
            case (byte)'b': Build(); break;
            case (byte)'Q': PushStorage(); break;
            default: throw new InvalidDataException($"its pickle has the operation 0x{operation:x2}, which PyTorch does not write");
        }
    }

    private static void CheckProtocol(byte protocol)
    {
        if (protocol is < 2 or > HighestProtocol)
            throw new InvalidDataException($"its pickle is of protocol {protocol}; 2 to {HighestProtocol} are known");
    }

    private void PushLong(int length)
    {
        byte[] bytes = input.Bytes(length);
        if (length > 8) PushNew(new BigInteger(bytes), 2 * length + NumberSize);
        else PushNew((long)new BigInteger(bytes), 2 * NumberSize);
    }

    private void PushTuple(int count)
    {
        Charge(ContainerSize);
        var items = new object?[count];
        for (int i = count - 1; i >= 0; i--) items[i] = Pop();
        Push(items);
    }

    private void PushDictionary()
    {
        object?[] items = PopToMark();
        PushNew(new PickleDictionary(), ContainerSize);
        SetItems(items);
    }

    private void PushGlobal()
    {
        if (Pop() is string name && Pop() is string module) Push(globals.Find(module, name));
        else throw new InvalidDataException("its pickle names a type by something other than text");
    }

    private void PushStorage()
    {
        var storage = PickleGlobals.Storage(Pop());
        Charge(2 * ContainerSize);
        if (!storages.TryAdd(storage.Key, storage) && storages[storage.Key] is var known
            && (known.WholeCount, known.Type) != (storage.WholeCount, storage.Type))
            throw new InvalidDataException($"storage {storage.Key} is named with two lengths or types");
        Push(storage);
    }

    private void Append(object?[] items)
    {
        Charge((long)ItemSize * items.Length);
        (Peek() switch
        {
            List<object?> list => list,
            PickleSet set => set.Items,
            _ => throw Misused("appends to"),
        }).AddRange(items);
    }

    private void SetItem()
    {
        object? value = Pop(), key = Pop();
        SetItems([key, value]);
    }

    private void SetItems(object?[] items)
    {
        if (Peek() is not PickleDictionary dictionary || items.Length % 2 != 0) throw Misused("sets items of");
        Charge((long)PickleDictionary.ItemSize * items.Length / 2);
        for (int i = 0; i < items.Length; i += 2) dictionary.Set(items[i], items[i + 1]);
    }

    private void Remember(long place)
    {
        Charge(MemoSize);
        memo[place] = Peek();
    }

    private void Recall(long place) =>
        Push(memo.TryGetValue(place, out object? value) ? value
            : throw new InvalidDataException($"its pickle recalls value {place}, which it has not kept"));

    private object?[] Arguments() => Pop() as object?[] ?? throw Misused("calls without a tuple after");

    private void Call(object?[] arguments)
    {
        if (Pop() is not PickleFunction function) throw new InvalidDataException("its pickle calls something that is no function");
        PushNew(function.Call(arguments), 2 * ContainerSize);
    }

    // Attributes: those of a namespace are its values; those of a dictionary (PyTorch keeps version numbers there) are of no use.
    private void Build()
    {
        object? state = Pop();
        if (state is object?[] and [var own, _] && Peek() is PickleNamespace) state = own;
        switch (Peek())
        {
            case PickleNamespace target when state is PickleDictionary values:
                Charge((long)PickleDictionary.ItemSize * values.Count);
                foreach (var (name, value) in values.Items) target.Values.Set(name, value);
                break;
            case NumpyType type when state is object?[] and [_, string order, ..]: type.IsBigEndian = order == ">"; break;
            case PickleDictionary: break;
            case PickledTensor: break;
            default: throw Misused("sets attributes of");
        }
    }

    private void PushNew(object? value, int size)
    {
        Charge(size);
        Push(value);
    }

    private void Push(object? value)
    {
        if (stack.Count == highest)
        {
            Charge(ItemSize);
            highest++;
        }
        stack.Add(value);
    }

    private object? Pop()
    {
        object? value = Peek();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private object? Peek()
    {
        int floor = marks.Count > 0 ? marks[^1] : 0;
        return stack.Count > floor ? stack[^1] : throw new InvalidDataException("its pickle takes more values than it has");
    }

    private object?[] PopToMark()
    {
        if (marks.Count == 0) throw new InvalidDataException("its pickle ends a list that has no beginning");
        int start = marks[^1], count = stack.Count - start;
        marks.RemoveAt(marks.Count - 1);
        Charge(64 + 16L * count);
        object?[] items = [.. stack[start..]];
        stack.RemoveRange(start, count);
        return items;
    }

    private void Charge(long bytes) => budget.Charge(bytes);

    private InvalidDataException Misused(string what) =>
        new($"its pickle {what} {stack.LastOrDefault()?.GetType().Name ?? "None"}, where that is not possible");
}
