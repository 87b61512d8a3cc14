using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Distributed;

/// <summary>
/// The borders between an encoder's blocks, where the backward pass is seen to go by: once it has left a block, the gradients of that block and
/// of all that comes after it are complete.
/// </summary>
internal sealed class BlockBorders
{
    private readonly Dictionary<Parameter, int> places = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<int, int> onTheWay = [];         // passes through a border whose gradient has not come back
    private bool isOpen;

    /// <summary>
    /// Called with a block's number when the backward pass has left it for the last time in this step; with the number of blocks when it reaches
    /// them. On the thread that libtorch runs the pass in, which on CUDA is not that of training; that one waits meanwhile.
    /// </summary>
    public Action<int>? Left { get; set; }

    /// <summary>Names an encoder's parameters.</summary>
    /// <param name="before">What comes before the first block: their gradients are complete when the pass ends.</param>
    /// <param name="blocks">The blocks'.</param>
    public void Name(IEnumerable<Parameter> before, IEnumerable<IEnumerable<Parameter>> blocks)
    {
        foreach (var parameter in before) places[parameter] = -1;
        int number = 0;
        foreach (var block in blocks)
        {
            foreach (var parameter in block) places[parameter] = number;
            number++;
        }
    }

    /// <summary>The block that a parameter belongs to: -1 before the first, the largest number after the last.</summary>
    public int PlaceOf(Parameter parameter) => places.GetValueOrDefault(parameter, int.MaxValue);

    /// <summary>From here on, what is computed is seen to go by in its backward pass.</summary>
    public void Open()
    {
        onTheWay.Clear();
        isOpen = true;
    }

    /// <summary>The backward pass has ended.</summary>
    public void Close() => isOpen = false;

    /// <summary>Tokens that enter a block, or leave the last one; the same values.</summary>
    public Tensor Cross(Tensor tokens, int block)
    {
        if (!isOpen || !tokens.requires_grad || !is_grad_enabled()) return tokens;
        onTheWay[block] = onTheWay.GetValueOrDefault(block) + 1;
        return BlockBorder.Forward(tokens, () =>
        {
            if (isOpen && --onTheWay[block] == 0) Left?.Invoke(block);
        });
    }
}
