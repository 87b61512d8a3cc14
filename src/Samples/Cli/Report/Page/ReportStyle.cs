namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>How a report looks: light and dark, on a narrow screen and on paper.</summary>
internal static class ReportStyle
{
    /// <summary>The style sheet. It has none of the signs that XML escapes.</summary>
    public const string Css = """
        :root{--ground:#fff;--panel:#f6f7f9;--line:#d9dde2;--text:#1a1a1a;--quiet:#59636e;--link:#0b5cad;--right:#1a7f37;--wrong:#b3202c}
        @media screen and (prefers-color-scheme:dark){:root{--ground:#16191d;--panel:#1f242a;--line:#3a424b;--text:#e8e8e8;--quiet:#a4aeb8;--link:#7cb8ff;--right:#6fd07f;--wrong:#ff7b80}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:1280px;padding:1.5rem;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
        h1{font-size:1.6rem;margin:0 0 .5rem;overflow-wrap:anywhere}
        h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--line)}
        a{color:var(--link)}
        p{max-width:75ch}
        nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:0;padding:0}
        .absent{color:var(--quiet)}
        pre{background:var(--panel);padding:.75rem 1rem;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.875rem}
        section{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:.75rem 1.5rem}
        h2,p,pre,dl,.wide,.large{grid-column:1/-1;min-width:0}
        p,pre{margin:0}
        h2{margin-bottom:0}
        .cards{display:flex;flex-wrap:wrap;gap:.75rem;margin:0}
        .cards div{background:var(--panel);border-radius:6px;padding:.5rem 1rem}
        .cards dt{color:var(--quiet);font-size:.875rem}
        .cards dd{margin:0;font-size:1.25rem;font-weight:600}
        .pairs{columns:3 300px;column-gap:2rem;margin:0;font-size:.875rem}
        .pairs div{display:flex;justify-content:space-between;gap:1rem;break-inside:avoid;border-bottom:1px solid var(--line)}
        .pairs dt{color:var(--quiet)}
        .pairs dd{margin:0;text-align:right;overflow-wrap:anywhere;min-width:0}
        figure{margin:0;min-width:0}
        figcaption,caption{color:var(--quiet);font-size:.9rem;text-align:left;padding:.25rem 0}
        .plot svg{width:100%;height:auto;display:block;font-family:inherit}
        .plot.large{max-width:900px}
        .wide{overflow-x:auto}
        table{border-collapse:collapse;font-size:.875rem}
        th,td{padding:.2rem .75rem .2rem 0;text-align:left;vertical-align:top;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        thead th{border-bottom:1px solid var(--line)}
        tbody th{font-weight:400}
        details{margin-top:.25rem;font-size:.875rem}
        details .wide{max-height:24rem;overflow:auto}
        summary{color:var(--link);cursor:pointer}
        .pictures th,.pictures td{padding:2px;font-weight:400;font-size:.8rem;color:var(--quiet);border:0;text-align:center;vertical-align:middle;max-width:150px}
        .pictures tbody th{text-align:right;padding-right:.5rem;min-width:4.5rem;max-width:110px}
        .pictures img{display:block;width:130px;height:130px;object-fit:contain;image-rendering:auto}
        .pictures span{display:block;color:var(--text)}
        .right img{outline:3px solid var(--right);outline-offset:-3px}
        .right span:after{content:" ✓";color:var(--right)}
        .wrong span:after{content:" ✗";color:var(--wrong)}
        .wrong span{color:var(--quiet)}
        .picture img{max-width:100%;height:auto;background:#fff}
        @media print{
        body{max-width:none;padding:0;font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
        nav,details{display:none}
        h2{break-after:avoid}
        figure,tr,.cards div{break-inside:avoid}
        section{display:block}
        .plot svg{max-width:16cm}
        .wide{overflow:visible}
        .pictures img{width:2.2cm;height:2.2cm}
        }

        """;
}
