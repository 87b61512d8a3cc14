namespace MaskBias.MLNet.Distributed;

/// <summary>What an <see cref="Alarm"/> tells.</summary>
internal enum AlarmKind : byte
{
    /// <summary>The rank has failed.</summary>
    Failed = 1,

    /// <summary>The rank was asked to stop.</summary>
    Cancelled = 2,

    /// <summary>The rank lives and is busy with something long, such as writing a checkpoint; told every few seconds.</summary>
    Busy = 3,

    /// <summary>The rank has told what it had to tell and leaves.</summary>
    Left = 4,
}
