namespace MaskBias.MLNet.Samples.Cli.Study.Plans;

/// <summary>A device that a dry run estimates times for.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="TeraFlops">Floating-point operations per second that training reaches on it, in units of 10¹².</param>
/// <param name="Gigabytes">Its memory.</param>
internal sealed record StudyDevice(string Name, double TeraFlops, double Gigabytes);
