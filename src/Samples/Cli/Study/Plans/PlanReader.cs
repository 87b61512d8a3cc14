using MaskBias.MLNet.Samples.Cli.Options;
using MaskBias.MLNet.Samples.Cli.Report.Page;

namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>Reads a plan from its file; everything that is wrong with it is reported together.</summary>
internal static class PlanReader
{
    private const int MostSeeds = 100, MostCells = 200;
    private const double MostFrozen = 1.0 / 3;              // the library cuts longer ones

    private static readonly string[] Parts = ["Encoder", "Dino", "Mae", "Distillation", "Supervised"];

    private static readonly StudyDevice[] UsualDevices =
    [
        new("two cores of a processor", 0.08, 16), new("one A100, bfloat16", 90, 80), new("one H100, bfloat16", 180, 80),
        new("eight H100, bfloat16", 1300, 80),
    ];

    /// <summary>Reads a plan.</summary>
    /// <exception cref="UsageException">It cannot be read, or does not say what it must; each fault is listed.</exception>
    public static StudyPlan Read(string path)
    {
        var faults = new List<string>();
        using var json = OptionEntries.Read(path, "a plan");
        var plan = Read(new(json.RootElement, "", faults), Path.GetFileNameWithoutExtension(path), faults);
        if (faults.Count == 0) faults.AddRange(PlanOptions.Faults(plan));
        return faults.Count == 0 ? plan : throw Refusal(path, faults);
    }

    /// <summary>The error that lists faults.</summary>
    public static UsageException Refusal(string path, IEnumerable<string> faults) =>
        new($"{path} cannot be used: {string.Join(" ", faults.Distinct())}");

    private static StudyPlan Read(PlanFields fields, string byDefault, List<string> faults)
    {
        string name = fields.Text("Name") ?? byDefault;
        string? description = fields.Text("Description");
        var data = Data(fields.Object("Data", required: true));
        int[] seeds = [.. fields.Wholes("Seeds", 0, int.MaxValue, 1, 2, 3).Select(s => (int)s)];
        if (seeds.Distinct().Count() < seeds.Length || seeds.Length > MostSeeds)
            fields.Fault("Seeds", $"must be at most {MostSeeds} different numbers.");
        long seen = fields.Whole("ImagesSeen", 1, long.MaxValue, required: true) ?? 1;
        long distilled = fields.Whole("DistillationImagesSeen", 1, long.MaxValue) ?? seen;
        int checkpoints = (int)(fields.Whole("Checkpoints", 1, 1000) ?? 5);
        var options = Parts.ToDictionary(part => part, fields.Options);
        var measures = fields.Objects("Measures", required: true).Select(Measure).OfType<StudyMeasure>().ToList();
        var cells = WithBaselines(fields.Objects("Cells", required: true).Select(Cell).OfType<StudyCell>().ToList());
        var compare = fields.Objects("Compare").Select(Pair).ToList();
        var search = Search(fields.Object("Search"), seen);
        var devices = fields.Objects("Devices").Select(Device).ToList();
        fields.End();

        if (cells.Count is 0 or > MostCells) fields.Fault("Cells", $"has {cells.Count} cells; there must be 1 to {MostCells}.");
        foreach (string names in OfSameFile(cells.Select(c => c.Name)))
            faults.Add($"Cells have names that make the same file name: {names}.");
        foreach (string names in OfSameFile(measures.SelectMany(m => m.Fractions.Select(f => StudyMeasure.Name(m.Kind, f)))))
            faults.Add($"Measures ask for shares of the labels that make the same file name: {names}.");
        foreach (var cell in cells)
        {
            foreach (string names in OfSameFile(cell.Fractions.Select(f => StudyMeasure.Name(StudyMeasureKind.FineTune, f))))
                faults.Add($"Cell '{cell.Name}': Fractions has shares of the labels that make the same file name: {names}.");
        }
        foreach (string other in cells.Select(c => c.Baseline).Concat(compare.SelectMany(p => new[] { p.Cell, p.Against })).OfType<string>()
            .Distinct())
        {
            if (cells.All(c => c.Name != other))
                faults.Add($"'{other}' is compared with, but is no cell; the cells are "
                    + $"{string.Join(", ", cells.Select(c => $"'{c.Name}'"))}.");
        }
        foreach (var cell in cells)
        {
            if (cell.Masks is { } masks && masks != StudyCell.Segmenter && data?.Masks.ContainsKey(masks) != true)
                faults.Add($"Cell '{cell.Name}': Masks is '{masks}'; it must be "
                    + $"{string.Join(" or ", [StudyCell.Segmenter, .. data?.Masks.Keys ?? []])}.");
            if (cell.Masks is null && cell.Shuffled) faults.Add($"Cell '{cell.Name}': Shuffled is true, but there are no Masks.");
            if (cell.Masks is null && cell.FreezeBias is not null)
                faults.Add($"Cell '{cell.Name}': FreezeBias is set, but there are no Masks, and so no bias.");
            if (cell.FreezeBias is > MostFrozen and < 1)
                faults.Add(FormattableString.Invariant($"Cell '{cell.Name}': FreezeBias is {cell.FreezeBias}; it must be at most a third of ")
                    + "the run, or 1 for all of it.");
            if ((cell.IsRandom || cell.Method == StudyMethod.Supervised) && (cell.Masks is not null || cell.Distilled))
                faults.Add($"Cell '{cell.Name}': Method is {cell.Method}, which takes no masks and is not distilled.");
        }
        if (measures.All(m => m.Kind != StudyMeasureKind.NearestNeighbors))
            measures.Insert(0, new(StudyMeasureKind.NearestNeighbors, [1], []));
        var plan = new StudyPlan
        {
            Name = name, Description = description, Data = data ?? new() { Train = "", Masks = new Dictionary<string, string>() },
            Seeds = seeds, ImagesSeen = seen, DistillationImagesSeen = distilled, Checkpoints = checkpoints, Options = options,
            Measures = measures, Cells = cells,
            Compare = compare, Search = search, Devices = devices.Count > 0 ? devices : UsualDevices,
        };
        foreach (string measure in compare.SelectMany(c => new[] { c.Measure, c.By }).OfType<string>().Distinct().Except(plan.MeasureNames))
            faults.Add($"'{measure}' in Compare is no measure; there are {string.Join(", ", plan.MeasureNames.Select(m => $"'{m}'"))}.");
        return plan;
    }

    private static StudyData? Data(PlanFields? fields)
    {
        if (fields is null) return null;
        var folders = fields.Object("Masks");
        var masks = folders?.Names().ToDictionary(n => n, n => folders.Text(n) ?? "") ?? [];
        if (masks.ContainsKey(StudyCell.Segmenter))
            fields.Fault("Masks", $"names a folder '{StudyCell.Segmenter}', which is the built-in segmenter's name.");
        string? objects = fields.Text("Objects");
        if (objects is not null && !masks.ContainsKey(objects)) fields.Fault("Objects", $"is '{objects}', which Data.Masks does not name.");
        var data = new StudyData
        {
            Train = fields.Text("Train", required: true) ?? "", Test = fields.Text("Test"), Extra = fields.Text("Extra"), Masks = masks,
            Objects = objects, Images = (int?)fields.Whole("Images", 2, int.MaxValue),
        };
        fields.End();
        return data;
    }

    private static StudyMeasure? Measure(PlanFields fields)
    {
        var kind = fields.OneOf<StudyMeasureKind>("Kind", required: true);
        var fractions = fields.Numbers("Fractions", 1e-6, 1, kind == StudyMeasureKind.SemiSupervised ? 0.1 : 1);
        var options = fields.Options("Options");
        fields.End();
        if (kind == StudyMeasureKind.NearestNeighbors && fractions is not [1])
            fields.Fault("Fractions", "must be [1] or left out: all labelled images vote.");
        if (kind == StudyMeasureKind.SemiSupervised && fractions.Contains(1))
            fields.Fault("Fractions", "must be below 1: some images must be without a label.");
        return kind is { } known ? new(known, fractions, options) : null;
    }

    private static StudyCell? Cell(PlanFields fields)
    {
        string? name = fields.Text("Name", required: true);
        var method = fields.OneOf<StudyMethod>("Method", required: true);
        var cell = new StudyCell
        {
            Name = name ?? "", Method = method ?? default, Masks = fields.Text("Masks"), Shuffled = fields.Flag("Shuffled", false),
            Distilled = fields.Flag("Distilled", false), Extra = fields.Flag("Extra", true), FreezeBias = fields.Number("FreezeBias", 0, 1),
            Fractions = [.. fields.Numbers("Fractions", 1e-6, 1, 1, 0.1).Distinct().OrderDescending()],
            Options = fields.Options("Options"),
            Distillation = fields.Options("Distillation"), Baseline = fields.Text("Baseline"),
        };
        fields.End();
        return name is null || method is null ? null : cell;
    }

    private static StudyComparison Pair(PlanFields fields)
    {
        var pair = new StudyComparison(
            fields.Text("Cell", required: true) ?? "", fields.Text("Against", required: true) ?? "", fields.Text("Measure"),
            fields.Text("By"));
        if (pair is { Measure: null, By: not null }) fields.Fault("By", "is given without Measure: how the cell itself is measured.");
        fields.End();
        return pair;
    }

    private static StudyDevice Device(PlanFields fields)
    {
        var device = new StudyDevice(
            fields.Text("Name", required: true) ?? "", fields.Number("TeraFlops", 1e-6, 1e9, required: true) ?? 1,
                fields.Number("Gigabytes", 0.001, 1e9, required: true) ?? 1);
        fields.End();
        return device;
    }

    private static StudySearch? Search(PlanFields? fields, long byDefault)
    {
        if (fields is null) return null;
        var sets = fields.Object("Sets", required: true);
        var search = new StudySearch(
            fields.OneOf<StudyMethod>("Method") ?? StudyMethod.Dino, (int)(fields.Whole("Seed", 0, int.MaxValue) ?? 1),
            fields.Number("HeldOut", 0.01, 0.9) ?? 0.2,
            fields.Whole("ImagesSeen", 1, long.MaxValue) ?? byDefault, [.. sets?.Names().Select(n => (n, sets.Options(n))) ?? []],
                fields.Text("Chosen"));
        fields.End();
        if (search.Method is not (StudyMethod.Dino or StudyMethod.Mae)) fields.Fault("Method", "must be Dino or Mae.");
        if (search.Chosen is { } chosen && search.Sets.All(s => s.Name != chosen))
            fields.Fault("Chosen", $"is '{chosen}', which is none of the sets.");
        foreach (string names in OfSameFile(search.Sets.Select(s => s.Name)))
            fields.Fault("Sets", $"has names that make the same file name: {names}.");
        return search;
    }

    // Results are in files that bear the names: each needs one of its own.
    private static IEnumerable<string> OfSameFile(IEnumerable<string> names) => names.GroupBy(SafeText.Slug).Where(g => g.Count() > 1)
        .Select(g => string.Join(", ", g.Select(name => $"'{name}'")));

    // Where nothing else is said, a cell is compared with the first plain one of its method that learns from the same images.
    private static List<StudyCell> WithBaselines(List<StudyCell> cells) => [.. cells.Select(cell =>
    {
        if (cell.Baseline is not null || cell.IsRandom || cell.Method == StudyMethod.Supervised) return cell;
        var plain = cells.FirstOrDefault(c => c.Method == cell.Method && c.Masks is null && !c.Distilled && c.Extra == cell.Extra);
        return cell with { Baseline = plain == cell ? null : plain?.Name };
    })];
}
