using static TorchSharp.torch;

namespace MaskBias.MLNet.Pretraining.Mae;

/// <summary>Which patches of each image of a batch the encoder sees.</summary>
/// <param name="Visible">Their indices, [B, V].</param>
/// <param name="Restore">Place of each patch in a row of the visible and then the hidden ones, [B, N].</param>
/// <param name="Hidden">1 for a hidden patch and 0 for a visible one, [B, N].</param>
internal sealed record PatchMasking(Tensor Visible, Tensor Restore, Tensor Hidden);
