using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>A part of a section.</summary>
internal interface IPart
{
    XElement ToHtml();
}
