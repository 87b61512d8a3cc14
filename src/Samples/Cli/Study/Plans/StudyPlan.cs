namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>What a study does: its data, its budget, its cells, and how they are measured.</summary>
internal sealed record StudyPlan
{
    public required string Name { get; init; }

    /// <summary>A paragraph for the page.</summary>
    public string? Description { get; init; }

    public required StudyData Data { get; init; }

    public required IReadOnlyList<int> Seeds { get; init; }

    /// <summary>Images that every training sees: epochs × images.</summary>
    public required long ImagesSeen { get; init; }

    /// <summary>Images that a distillation sees.</summary>
    public required long DistillationImagesSeen { get; init; }

    /// <summary>Checkpoints of a run, to resume from and to follow α and β by.</summary>
    public int Checkpoints { get; init; } = 5;

    /// <summary>
    /// Options of the parts, by their names in the library, and by the name of the part: Encoder, Dino, Mae, Distillation, Supervised.
    /// </summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<(string Name, string Text)>> Options { get; init; }

    public required IReadOnlyList<StudyMeasure> Measures { get; init; }

    public required IReadOnlyList<StudyCell> Cells { get; init; }

    /// <summary>Pairs of cells to compare, besides each cell with its baseline and each distilled one with its teacher.</summary>
    public required IReadOnlyList<StudyComparison> Compare { get; init; }

    public StudySearch? Search { get; init; }

    public required IReadOnlyList<StudyDevice> Devices { get; init; }

    /// <summary>Names of all measures that there may be, those with masks after those without.</summary>
    public IReadOnlyList<string> MeasureNames =>
    [
        .. Measures.SelectMany(m => m.Fractions.Select(f => StudyMeasure.Name(m.Kind, f)))
            .Concat(Cells.Where(c => c.Method == StudyMethod.Supervised)
                .SelectMany(c => c.Fractions.Select(f => StudyMeasure.Name(StudyMeasureKind.FineTune, f))))
            .Distinct().SelectMany(name => new[] { name, name + StudyMeasure.WithMasks }),
    ];

    /// <summary>The measure that settings are searched by.</summary>
    public StudyMeasure Neighbors => Measures.First(m => m.Kind == StudyMeasureKind.NearestNeighbors);

    /// <summary>The name as part of a path.</summary>
    public string Slug => Report.Page.SafeText.Slug(Name);

    /// <summary>Options of a part as all its cells have them: the plan's, with those of the set that its search chose in their place.</summary>
    public IReadOnlyList<(string Name, string Text)> OptionsOf(string part)
    {
        var own = Options[part];
        if (Search is not { Chosen: { } chosen } search || part != search.Method.ToString()) return own;
        var found = search.Sets.First(s => s.Name == chosen).Options;
        return [.. own.Where(o => !found.Any(f => f.Name.Equals(o.Name, StringComparison.OrdinalIgnoreCase))), .. found];
    }

    /// <summary>The cell of a name.</summary>
    public StudyCell? Cell(string name) => Cells.FirstOrDefault(c => c.Name == name);

    /// <summary>The cell that a distilled one learned from, as far as it is a cell.</summary>
    public StudyCell? TeacherOf(StudyCell student) => !student.Distilled ? null : Cells.FirstOrDefault(c =>
        !c.Distilled && (c.Method, c.Masks, c.Shuffled, c.Extra, c.FreezeBias) == (student.Method, student.Masks, student.Shuffled,
            student.Extra, student.FreezeBias)
        && c.Options.SequenceEqual(student.Options));

    /// <summary>All pairs to compare: with the baselines, with the teachers, and those that the plan names.</summary>
    public IReadOnlyList<(string Cell, string Against)> Pairs() =>
    [
        .. Cells.Where(c => c.Baseline is not null).Select(c => (c.Name, c.Baseline!))
            .Concat(Cells.Where(c => TeacherOf(c) is not null).Select(c => (c.Name, TeacherOf(c)!.Name)))
            .Concat(Compare.Where(c => c.Measure is null).Select(c => (c.Cell, c.Against))).Distinct(),
    ];
}
