namespace MaskBias.MLNet.Distributed;

/// <summary>What an <see cref="Alarm"/> tells.</summary>
internal enum AlarmKind : byte
{
    /// <summary>The rank has failed.</summary>
    Failed = 1,

    /// <summary>The rank was asked to stop.</summary>
    Cancelled = 2,

    /// <summary>The rank is busy with something long, such as writing a checkpoint: to be waited for.</summary>
    Busy = 3,

    /// <summary>It is no longer busy.</summary>
    Ready = 4,

    /// <summary>The rank has told what it had to tell and leaves.</summary>
    Left = 5,
}
