namespace MaskBias.MLNet.Weights.KeyMaps;

/// <summary>Where in a file the encoder's names begin: everything before its class token's.</summary>
internal static class CheckpointPrefix
{
    private const string Token = "cls_token", HuggingFaceToken = "embeddings.cls_token";

    /// <summary>Finds what precedes the encoder's names, such as <c>teacher.backbone.</c> or <c>model.</c>.</summary>
    /// <exception cref="InvalidDataException">There is no class token, or there are several and the branch does not choose.</exception>
    public static string Find(ITensorSource file, CheckpointBranch branch)
    {
        var prefixes = file.Entries.Select(e => Before(e.Name)).OfType<string>().ToList();
        if (prefixes.Count > 1)
        {
            string wanted = branch == CheckpointBranch.Teacher ? "teacher" : "student";
            var chosen = prefixes.Where(p => p.Split('.').Any(part => part.Contains(wanted, StringComparison.Ordinal))).ToList();
            if (chosen.Count == 1) prefixes = chosen;
        }
        return prefixes.Count switch
        {
            1 => prefixes[0],
            0 when IsSegmentAnything(file) =>
                throw new InvalidDataException($"{file.Path} is a checkpoint of Segment Anything (SAM): its encoder is no "
                + "plain vision transformer and embeds no images. Use it to generate masks."),
            0 => throw new InvalidDataException($"{file.Path} is not a checkpoint of a vision transformer: it has no cls_token."
                + $" {Names(file)}"),
            _ => throw new InvalidDataException($"{file.Path} holds several encoders:"
                + $" {string.Join(", ", prefixes.Select(p => p + Token))}. "
                + "One must be a student's and one a teacher's, so that CheckpointLoadOptions.Branch can choose."),
        };
    }

    private static string? Before(string name)
    {
        foreach (string end in (string[])[HuggingFaceToken, Token])
        {
            if (name.EndsWith(end, StringComparison.Ordinal) && (name.Length == end.Length || name[^(end.Length + 1)] == '.'))
                return name[..^end.Length];
        }
        return null;
    }

    private static bool IsSegmentAnything(ITensorSource file) =>
        ((string[])["image_encoder.", "prompt_encoder.", "mask_decoder."])
            .All(part => file.Entries.Any(e => e.Name.StartsWith(part, StringComparison.Ordinal)));

    private static string Names(ITensorSource file)
    {
        const int Most = 20;
        string more = file.Entries.Count > Most ? $", and {file.Entries.Count - Most} more" : "";
        return $"Its tensors are: {string.Join(", ", file.Entries.Take(Most).Select(e => e.Name))}{more}.";
    }
}
