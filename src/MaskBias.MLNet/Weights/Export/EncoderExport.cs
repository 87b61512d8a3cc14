using System.Text;
using MaskBias.MLNet.Vit;
using MaskBias.MLNet.Weights.KeyMaps;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.Weights.Export;

/// <summary>Writes plain encoders as the checkpoints of timm, DINO and MAE, with a model card beside them.</summary>
/// <remarks>
/// <see cref="EncoderCheckpoint.Load"/> reads them back. MAE's files do not say whether the feature is the class token or the mean of the
/// patches: load one of <see cref="FeaturePooling.Mean"/> with <see cref="CheckpointLoadOptions.Pooling"/>.
/// </remarks>
public static class EncoderExport
{
    private static readonly string[] PickleExtensions = [".pth", ".pt", ".bin"];

    /// <summary>Writes an encoder; older files are replaced only when the new ones are complete.</summary>
    /// <param name="encoder">The encoder, on any device.</param>
    /// <param name="path">
    /// The file: <c>.safetensors</c>, or <c>.pth</c>, <c>.pt</c> or <c>.bin</c> for PyTorch's own format, which DINO's and MAE's code reads.
    /// In safetensors, which knows no nesting, names are joined: <c>teacher.backbone.cls_token</c>. Its card lies beside it as
    /// <c>.card.json</c> and <c>.card.md</c>.
    /// </param>
    /// <param name="layout">Whose names to use.</param>
    /// <param name="card">What to say of the encoder besides its architecture.</param>
    /// <exception cref="ArgumentException">
    /// The file's extension is not one of those; or the layout is timm's, and the folder has a config.json of an encoder checkpoint or of
    /// other weights, which would be replaced. An export to the same file again replaces its own.
    /// </exception>
    /// <exception cref="InvalidOperationException">The layout cannot hold this encoder; the message lists why.</exception>
    public static void Save(VisionEncoder encoder, string path, ExportLayout layout, ModelCard? card = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentException.ThrowIfNullOrEmpty(path);
        Check(encoder, layout);
        string configPath = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, EncoderCheckpoint.ConfigFile);
        string? config = layout == ExportLayout.Timm ? TimmConfig.Of(encoder) : null;
        if (config is not null && File.Exists(configPath)) CheckConfig(path, configPath, config);
        var writeCard = (card ?? new()).Prepare(encoder, path, $"{layout} weights");
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (section, tensors) = Tensors(encoder, layout);
        if (IsSafetensors(path))
        {
            var named = section is null ? tensors : [.. tensors.Select(t => KeyValuePair.Create($"{section}.{t.Key}", t.Value))];
            SafetensorsWriter.Write(path, named, new Dictionary<string, string> { ["format"] = "pt" });
        }
        else if (IsPickle(path)) PyTorchWriter.Write(path, section, tensors);
        else throw new ArgumentException($"path is {path}; its extension must be .safetensors, {string.Join(", ", PickleExtensions)}.", nameof(path));

        if (config is not null) AtomicFile.Write(configPath, stream => stream.Write(Encoding.UTF8.GetBytes(config)));
        writeCard();
    }

    private static (string? Section, List<KeyValuePair<string, Tensor>> Tensors) Tensors(VisionEncoder encoder, ExportLayout layout)
    {
        var backbone = encoder.Model.state_dict();
        return layout switch
        {
            ExportLayout.Timm => (null, [.. TimmNames(backbone, encoder.Model.Options)]),
            ExportLayout.Dino => ("teacher", [.. Prefixed("backbone.", backbone), .. Prefixed("head.", encoder.Head?.state_dict() ?? [])]),
            _ => ("model", [.. WithFinalNorm(backbone, encoder.Model.Options), .. encoder.Decoder?.state_dict() ?? []]),
        };
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Prefixed(string prefix, Dictionary<string, Tensor> weights) =>
        weights.Select(w => KeyValuePair.Create(prefix + w.Key, w.Value));

    // timm and MAE's fine-tuning name the norm of the mean otherwise than that of the tokens.
    private static IEnumerable<KeyValuePair<string, Tensor>> WithFinalNorm(Dictionary<string, Tensor> weights, VitOptions options) =>
        weights.Select(w => options.Pooling == FeaturePooling.NormalizedMean && w.Key.StartsWith("norm.", StringComparison.Ordinal)
            ? KeyValuePair.Create("fc_" + w.Key, w.Value) : w);

    private static IEnumerable<KeyValuePair<string, Tensor>> TimmNames(Dictionary<string, Tensor> weights, VitOptions options)
    {
        // Beside registers timm's encoders have positions for the patches alone: the class token takes in its own.
        bool fold = options.RegisterTokens > 0 && options.ClassTokenPosition;
        foreach (var (name, weight) in WithFinalNorm(weights, options))
        {
            if (name == "register_tokens") yield return new("reg_token", weight);
            else if (fold && name == "cls_token") yield return new(name, Sum(weight, weights["pos_embed"][.., ..1]));
            else if (fold && name == "pos_embed") yield return new(name, weight[.., 1..].contiguous());
            else yield return new(name.Replace(".mlp.w12.", ".mlp.fc1.").Replace(".mlp.w3.", ".mlp.fc2."), weight);
        }
    }

    // A folder has one config.json, which is about whatever weights are in it: another may replace it only with the weights that it is about.
    private static void CheckConfig(string path, string configPath, string config)
    {
        if (EncoderCheckpoint.ReadOwnConfig(configPath) is not null)
        {
            throw new ArgumentException($"path is {path}; timm needs a {EncoderCheckpoint.ConfigFile} beside it, but {configPath} is that of "
                + "an encoder checkpoint of this library: export to another folder.", nameof(path));
        }
        if (BoundedFile.ReadText(configPath, EncoderConfig.MaxLength, "a configuration") == config || IsAlone(path)) return;
        throw new ArgumentException($"path is {path}; timm needs a {EncoderCheckpoint.ConfigFile} beside it, but {configPath} is another, which "
            + "may be that of other weights: export to another folder, or delete it.", nameof(path));
    }

    // Whether there are weights in the file, and in no other of its folder.
    private static bool IsAlone(string path) => File.Exists(path)
        && Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!).Count(f => IsPickle(f) || IsSafetensors(f)) == 1;

    private static bool IsPickle(string path) => PickleExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    private static bool IsSafetensors(string path) => Path.GetExtension(path).Equals(".safetensors", StringComparison.OrdinalIgnoreCase);

    // What the code of the layout cannot build.
    private static void Check(VisionEncoder encoder, ExportLayout layout)
    {
        var options = encoder.Model.Options;
        var faults = new List<string>();
        if (options.MaskBias is not null) faults.Add("it is guided by masks: distil it (SelfSupervised().Distill), or keep it with EncoderCheckpoint.Save");
        if (layout == ExportLayout.Dino && options.Pooling != FeaturePooling.ClassToken)
            faults.Add($"Pooling is {options.Pooling}, and DINO's features are the class token: use ExportLayout.Timm, or keep it with EncoderCheckpoint.Save");
        // Below its own of 1e-6, timm computes the same to the eye.
        bool sameNorm = layout == ExportLayout.Timm ? options.NormEpsilon <= VitOptions.DefaultNormEpsilon : options.NormEpsilon == VitOptions.DefaultNormEpsilon;
        if (!sameNorm) faults.Add(FormattableString.Invariant($"NormEpsilon is {options.NormEpsilon}, not {VitOptions.DefaultNormEpsilon}"));
        if (layout != ExportLayout.Timm)
        {
            if (options.RegisterTokens > 0) faults.Add($"RegisterTokens is {options.RegisterTokens}");
            if (options.LayerScale is not null) faults.Add("it has LayerScale");
            if (options.FeedForward == FeedForwardKind.SwiGlu) faults.Add("FeedForward is SwiGlu");
            if (!options.ClassTokenPosition) faults.Add("ClassTokenPosition is False");
        }
        if (faults.Count > 0)
            throw new InvalidOperationException($"{layout}'s code cannot read this encoder back:{string.Concat(faults.Select(f => "\n  - " + f))}");
    }
}
