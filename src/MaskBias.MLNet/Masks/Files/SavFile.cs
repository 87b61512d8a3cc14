namespace MaskBias.MLNet.Masks.Files;

/// <summary>
/// The masklets of one video in the JSON format of SA-V (Ravi et al., 2024): per annotated frame, one mask of every masklet, which is empty
/// where the object is not seen.
/// </summary>
public sealed class SavFile
{
    private readonly CocoRle[][] frames;

    private SavFile(CocoRle[][] frames, IReadOnlyList<long> maskletIds) => (this.frames, MaskletIds) = (frames, maskletIds);

    /// <summary>Name of the video.</summary>
    public string? VideoId { get; private init; }

    /// <summary>Number of annotated frames: SA-V annotates every fourth frame of a video of 24 per second.</summary>
    public int FrameCount => frames.Length;

    /// <summary>Numbers of the masklets, in the order of a frame's masks; empty where the file gives none.</summary>
    public IReadOnlyList<long> MaskletIds { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is not of this format; the message says where and why.</exception>
    public static SavFile Read(string path) => Parse(MaskFileBytes.Read(path), path);

    /// <summary>Reads the content of a file.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="name">What errors call it.</param>
    /// <inheritdoc cref="Read(string)"/>
    public static SavFile Parse(ReadOnlyMemory<byte> json, string name) => LocatedJson.Parse(json, name, root =>
    {
        CocoRle[][] frames = [.. root["masklet"].Items().Select(ReadFrame)];
        return new SavFile(frames, [.. root.Find("masklet_id")?.Items().Select(id => id.Long()) ?? []]) { VideoId = root.Find("video_id")?.Text() };
    });

    /// <summary>The run lengths of a frame's masks, by masklet.</summary>
    public IReadOnlyList<CocoRle> FrameRuns(int frame)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)frame, (uint)frames.Length, nameof(frame));
        return frames[frame];
    }

    /// <summary>The masks of a frame, by masklet; empty ones are kept so that their order stays.</summary>
    /// <exception cref="InvalidDataException">The frame lists no masks, so that its size is not known, or too many.</exception>
    public MaskSet Frame(int frame)
    {
        var masks = FrameRuns(frame);
        return masks.Count > 0 ? CocoRle.ToMaskSet(masks[0].Height, masks[0].Width, masks)
            : throw new InvalidDataException($"Frame {frame} lists no masks.");
    }

    private static CocoRle[] ReadFrame(LocatedJson frame)
    {
        CocoRle[] masks = [.. frame.Items().Select(mask => SegmentationJson.Read(mask, outline: null))];
        for (int i = 1; i < masks.Length; i++)
        {
            if ((masks[i].Height, masks[i].Width) != (masks[0].Height, masks[0].Width))
                throw new InvalidDataException($"{frame.Place}: mask {i} is of {masks[i].Width}x{masks[i].Height}, mask 0 of {masks[0].Width}x{masks[0].Height}.");
        }
        return masks;
    }
}
