namespace MaskBias.MLNet.Experiments.Candidates;

/// <summary>Candidates that come with packages of their own, so that one that is missing can be told from one that is misspelt.</summary>
internal static class PackagedCandidates
{
    private static readonly Dictionary<string, (string Package, string Call)> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["LightGbm"] = ("MaskBias.MLNet.Experiments.Trees", "settings.AddTrees()"),
        ["FastTree"] = ("MaskBias.MLNet.Experiments.Trees", "settings.AddTrees()"),
    };

    /// <summary>A fault for each name that no candidate has.</summary>
    public static IEnumerable<string> Missing(IEnumerable<string> names, IEnumerable<ExperimentCandidate> candidates)
    {
        string[] there = [.. candidates.Select(c => c.Name)];
        foreach (string name in names.Where(name => !there.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            yield return Known.TryGetValue(name, out var known)
                ? $"AllowedCandidates has \"{name}\", which comes with the package {known.Package}: add the package and call {known.Call}."
                : $"AllowedCandidates has \"{name}\"; the candidates are {string.Join(", ", there.Select(c => $"\"{c}\""))}.";
        }
    }
}
