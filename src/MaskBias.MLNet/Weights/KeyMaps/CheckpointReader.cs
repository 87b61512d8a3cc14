using System.Text.RegularExpressions;
using MaskBias.MLNet.Vit;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>
/// Recognises a public checkpoint by its names and shapes, and gives its tensors under the names of <see cref="EncoderCheckpoint"/>:
/// <c>backbone.*</c>, <c>head.*</c> and <c>decoder.*</c>.
/// </summary>
internal sealed partial class CheckpointReader
{
    public const string Backbone = "backbone.", Head = "head.", Decoder = "decoder.";

    private readonly MappedTensors tensors;
    private readonly Dictionary<string, SafetensorsEntry> entries;
    private readonly string prefix;
    private readonly bool isHuggingFace;

    public CheckpointReader(ITensorSource file, CheckpointBranch branch)
    {
        tensors = new(file);
        entries = file.Entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
        prefix = CheckpointPrefix.Find(file, branch);
        isHuggingFace = entries.ContainsKey(prefix + "embeddings.cls_token");
        string? head = HeadPrefix();
        foreach (var entry in file.Entries) Take(entry, head);
        UnfoldTokens();
        Layout = Recognize();
        if (Layout is CheckpointLayout.DinoV2 or CheckpointLayout.HuggingFaceDinoV2 or CheckpointLayout.HuggingFaceVit)
            tensors.Drop(Backbone + "mask_token");
        tensors.Rename(Backbone + "fc_norm.weight", Backbone + "norm.weight");
        tensors.Rename(Backbone + "fc_norm.bias", Backbone + "norm.bias");
        UnpackGates();
    }

    /// <summary>Who wrote the file.</summary>
    public CheckpointLayout Layout { get; }

    /// <summary>The tensors under this library's names.</summary>
    public MappedTensors Tensors => tensors;

    /// <summary>Whether the mean of the tokens is normalised, and not the tokens.</summary>
    public bool NormalizesMean { get; private set; }

    /// <summary>Whether there is a classifier beside the encoder.</summary>
    public bool HasClassifier { get; private set; }

    /// <summary>What the layout is called, with the part that was taken.</summary>
    public string Summary
    {
        get
        {
            bool registers = tensors.Contains(Backbone + "register_tokens");
            string name = Layout switch
            {
                CheckpointLayout.Dino => "DINO",
                CheckpointLayout.DinoV2 => registers ? "DINOv2 with registers" : "DINOv2",
                CheckpointLayout.Mae => tensors.Contains(Decoder + "decoder_embed.weight") ? "MAE with its decoder" : "MAE, the encoder alone",
                CheckpointLayout.Timm => HasClassifier ? "timm ViT or DeiT with a classifier" : "timm ViT or DeiT",
                CheckpointLayout.HuggingFaceVit => "Hugging Face ViT",
                CheckpointLayout.HuggingFaceDinoV2 => registers ? "Hugging Face DINOv2 with registers" : "Hugging Face DINOv2",
                _ => Layout.ToString(),
            };
            return prefix.Length > 0 ? $"{name} ({prefix.TrimEnd('.')})" : name;
        }
    }

    private bool IsTraining => prefix.EndsWith("backbone.", StringComparison.Ordinal);

    // DINO keeps a head beside the backbone.
    private string? HeadPrefix()
    {
        if (!IsTraining) return null;
        string parent = prefix[..^"backbone.".Length];
        return ((string[])["head.", "dino_head."]).Select(h => parent + h)
            .FirstOrDefault(h => tensors.File.Entries.Any(e => e.Name.StartsWith(h + "last_layer.", StringComparison.Ordinal)));
    }

    private void Take(SafetensorsEntry entry, string? head)
    {
        if (head is not null && entry.Name.StartsWith(head, StringComparison.Ordinal))
        {
            tensors.Add(Head + RenameHead(entry.Name[head.Length..]), entry);
            return;
        }
        if (!entry.Name.StartsWith(prefix, StringComparison.Ordinal))
        {
            HasClassifier |= entry.Name is "classifier.weight";
            tensors.LeaveOut(entry.Name);
            return;
        }
        string name = entry.Name[prefix.Length..];
        if (isHuggingFace) TakeHuggingFace(entry, name);
        else TakePlain(entry, name);
    }

    private void TakePlain(SafetensorsEntry entry, string name)
    {
        if (name.StartsWith("decoder_", StringComparison.Ordinal) || (name == "mask_token" && entry.Shape.Count == 3))
        {
            tensors.Add(Decoder + name, entry);
            return;
        }
        if (name.StartsWith("head.", StringComparison.Ordinal) || name.StartsWith("head_dist.", StringComparison.Ordinal))
        {
            HasClassifier = true;
            tensors.LeaveOut(entry.Name);
            return;
        }
        if (IsTraining && !name.StartsWith("blocks.", StringComparison.Ordinal) && entry.Shape.Count == 0)
        {
            tensors.LeaveOut(entry.Name);
            return;
        }
        name = ChunkedBlock().Replace(name, "blocks.$1.");                  // DINOv2 counts blocks over all chunks
        tensors.Add(Backbone + (name == "reg_token" ? "register_tokens" : name), entry);
    }

    private void TakeHuggingFace(SafetensorsEntry entry, string name)
    {
        if (HuggingFaceKeys.IsKeyOrValue(name)) return;
        if (HuggingFaceKeys.Joined(name) is { } joined) Join(entry, joined.Name, joined.Sources);
        else if (HuggingFaceKeys.Rename(name) is { } known) tensors.Add(Backbone + known, entry);
        else if (name.StartsWith("pooler.", StringComparison.Ordinal) || name.StartsWith("classifier.", StringComparison.Ordinal))
            tensors.LeaveOut(entry.Name);
        else tensors.Add(Backbone + name, entry);                           // unexpected: refused by name
        HasClassifier |= name == "classifier.weight";
    }

    // query, key and value one under the other
    private void Join(SafetensorsEntry query, string name, string[] sources)
    {
        var parts = sources.Select(s => entries.GetValueOrDefault(prefix + s)).ToArray();
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i] is not { } part) throw new InvalidDataException($"{tensors.Path}: {prefix + sources[i]} is missing.");
            if (!part.Shape.SequenceEqual(query.Shape) || part.Shape.Count == 0)
            {
                throw new InvalidDataException($"{tensors.Path}: {part.Name} is [{string.Join(", ", part.Shape)}]; it must be as large as "
                    + $"{query.Name} [{string.Join(", ", query.Shape)}].");
            }
        }
        tensors.Add(Backbone + name, query, [3 * query.Shape[0], .. query.Shape.Skip(1)], () =>
        {
            using var scope = NewDisposeScope();
            return cat(parts.Select(p => tensors.File.Read(p!.Name)).ToList()).MoveToOuterDisposeScope();
        });
    }

    // PyTorch has two ways to write weight normalisation.
    private static string RenameHead(string name) => name switch
    {
        "last_layer.parametrizations.weight.original0" => "last_layer.weight_g",
        "last_layer.parametrizations.weight.original1" => "last_layer.weight_v",
        _ => name,
    };

    // timm's positions of registers go into the registers; DINOv2's mask token is [1, D].
    private void UnfoldTokens()
    {
        string positions = Backbone + "pos_embed", registers = Backbone + "register_tokens";
        if (tensors.Find(registers) is not { Shape: [_, long count, _] } || tensors.Find(positions) is not { Shape: [1, long rows, long width] }) return;
        if (IsSquare(rows) || IsSquare(rows - 1) || !IsSquare(rows - 1 - count)) return;
        string source = prefix + "pos_embed";
        tensors.Change(registers, [1, count, width], own => Sum(own, tensors.File.Read(source)[.., 1..(int)(1 + count)]));
        tensors.Change(positions, [1, rows - count, width], all => cat([all[.., ..1], all[.., (int)(1 + count)..]], dim: 1));
    }

    private CheckpointLayout Recognize()
    {
        bool scaled = tensors.Contains(Backbone + "blocks.0.ls1.gamma");
        if (isHuggingFace) return scaled ? CheckpointLayout.HuggingFaceDinoV2 : CheckpointLayout.HuggingFaceVit;
        NormalizesMean = tensors.Contains(Backbone + "fc_norm.weight");
        if (tensors.Contains(Decoder + "decoder_embed.weight")) return CheckpointLayout.Mae;
        // A mask token in an encoder is DINOv2's, but where timm's names say otherwise.
        if (tensors.Contains(Backbone + "mask_token") || (IsTraining && scaled)) return CheckpointLayout.DinoV2;
        if (HasClassifier || scaled || entries.ContainsKey(prefix + "reg_token")) return CheckpointLayout.Timm;
        if (!IsTraining && HasSinCosPositions()) return CheckpointLayout.Mae;
        return NormalizesMean ? CheckpointLayout.Timm : CheckpointLayout.Dino;
    }

    /// <summary>Whether the positions are MAE's fixed ones.</summary>
    /// <remarks>Nothing is known of the file yet: what no encoder has is not even read.</remarks>
    public bool HasSinCosPositions()
    {
        const double Tolerance = 1e-5;
        const long MostElements = 1 << 24, MostWidth = 1 << 14;
        if (tensors.Find(Backbone + "pos_embed") is not { IsFloating: true, Shape: [1, long rows, long width] }) return false;
        if (width is 0 or > MostWidth || width % 4 != 0 || rows * width > MostElements || !IsSquare(rows - 1)) return false;
        using var positions = tensors.Read(Backbone + "pos_embed");
        return SinCosPositions.Are(positions, (int)Math.Sqrt(rows - 1), Tolerance);
    }

    // timm packs SwiGLU's two layers as fc1, which is then twice as wide as fc2 takes.
    private void UnpackGates()
    {
        if (tensors.Find(Backbone + "blocks.0.mlp.fc1.weight") is not { Shape: [long outputs, _] }) return;
        if (tensors.Find(Backbone + "blocks.0.mlp.fc2.weight") is not { Shape: [_, long inputs] } || outputs != 2 * inputs) return;
        foreach (var entry in tensors.Entries)
        {
            tensors.Rename(entry.Name, entry.Name.Replace(".mlp.fc1.", ".mlp.w12.").Replace(".mlp.fc2.", ".mlp.w3."));
        }
    }

    internal static bool IsSquare(long count) => count >= 0 && (long)Math.Sqrt(count) is var side && side * side == count;

    [GeneratedRegex(@"^blocks\.\d{1,4}\.(\d{1,4})\.")]
    private static partial Regex ChunkedBlock();
}
