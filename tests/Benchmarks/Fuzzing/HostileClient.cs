using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MaskBias.MLNet.Benchmarks.Fuzzing;

/// <summary>
/// Sends a web app on this machine what no browser would: damaged and foreign files, bombs, bodies that are too large or too slow, paths
/// that climb out of folders, requests that are none.
/// </summary>
/// <param name="address">The app.</param>
/// <param name="damage">Makes files.</param>
/// <param name="tooManyBytes">More than the app takes.</param>
/// <param name="secret">What must be in no answer: the content of a file outside the app's folder.</param>
internal sealed class HostileClient(Uri address, ImageDamage damage, int tooManyBytes, string secret)
{
    private const string Uploads = "/api/images";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private static readonly string[] Paths =
    [
        "/..%2f..%2fsecret.txt", "/%2e%2e/%2e%2e/secret.txt", "/api/images/..%2f..%2f..%2fsecret.txt/picture",
        "/api/images/%2e%2e%2fsecret.txt/thumbnail", "/api/images/..%5c..%5csecret.txt/picture", "/api/images/C:%5csecret.txt/picture",
        "/api/images/%00/picture", "/api/images/00000000000000000000000000000000/picture",
        "/api/images/00000000-0000-0000-0000-000000000000/attention?head=-1",
        "/api/images?offset=-5&count=99999999&label=../../secret.txt", "/index.db", "/pictures/", "/wwwroot/app.js",
    ];

    // What a request can hold that a client of HTTP would correct first.
    private static readonly string[] Raw =
    [
        "GET /../../secret.txt HTTP/1.1\r\nHost: {host}\r\n\r\n", "GET ////../secret.txt HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET http://{host}/../secret.txt HTTP/1.1\r\nHost: {host}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0\r\n\r\n",
        "POST /api/images HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "POST /api/images HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/images HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        "PUT /api/images/00000000000000000000000000000000/label HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            + "Content-Length: 9\r\n\r\n{\"label\":",
        "DELETE /api/images/..%2f..%2f HTTP/1.1\r\nHost: {host}\r\n\r\n",
    ];

    private readonly ConcurrentDictionary<string, int> outcomes = new();

    /// <summary>After which a body that stalls is given up by its client, where the app has not done so before.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Sends requests.</summary>
    /// <param name="requests">How many.</param>
    /// <param name="clients">At once.</param>
    /// <returns>How often each status was answered, or what happened instead; what must not happen begins with FAULT.</returns>
    public async Task<IReadOnlyDictionary<string, int>> RunAsync(int requests, int clients)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = clients }) { BaseAddress = address, Timeout = Patience };
        await Parallel.ForAsync(0, requests, new ParallelOptions { MaxDegreeOfParallelism = clients }, async (i, _) =>
        {
            string outcome;
            try
            {
                outcome = await SendAsync(http, i);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
            {
                outcome = "connection closed";      // an app may hang up on a body that it does not want
            }
            catch (OperationCanceledException)
            {
                outcome = $"FAULT no answer within {Patience.TotalSeconds:0} s";
            }
            outcomes.AddOrUpdate(outcome, 1, (_, n) => n + 1);
        });
        return outcomes;
    }

    private async Task<string> SendAsync(HttpClient http, int i)
    {
        if (i % 100 == 7) return await RawAsync(Raw[i / 100 % Raw.Length].Replace("{host}", address.Authority, StringComparison.Ordinal));
        if (i % 100 == 13) return await RawAsync(SlowBody());
        using var request = Request(i);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return Outcome((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private HttpRequestMessage Request(int i) => (i % 20) switch
    {
        3 => new(HttpMethod.Get, new Uri(address, Paths[i / 20 % Paths.Length])),
        5 => Upload(Foreign(i)),
        9 => Upload(Bomb(i)),
        11 => new(HttpMethod.Post, Uploads)
        {
            Content = new StreamContent(new EndlessBody(i % 40 == 11 ? tooManyBytes + 1L : long.MaxValue)),
        },
        15 => WithName(i),
        17 => new(HttpMethod.Put, $"{Uploads}/{Guid.Empty:N}/label")
        {
            Content = new StringContent(new string('x', i % 7 * 1000), Encoding.UTF8, "application/json"),
        },
        _ => Upload(damage.Make(i)),
    };

    private static HttpRequestMessage Upload(byte[] file) => new(HttpMethod.Post, Uploads) { Content = new ByteArrayContent(file) };

    // A form with a name of a file that climbs, and a label that does.
    private HttpRequestMessage WithName(int i)
    {
        byte[] file = damage.Make(i);
        var content = new ByteArrayContent(file);
        if (i % 40 == 15) return new(HttpMethod.Post, $"{Uploads}?label=..%2f..%2fsecret.txt") { Content = content };
        return new(HttpMethod.Post, Uploads) { Content = new MultipartFormDataContent { { content, "file", "../../../secret.txt" } } };
    }

    private static byte[] Foreign(int i) => (i / 20 % 6) switch
    {
        0 => "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='file:///etc/passwd'/></svg>"u8.ToArray(),
        1 => "<!doctype html><script>alert(1)</script>"u8.ToArray(),
        2 => [.. "PK\x03\x04"u8, .. new byte[500]],
        3 => [0x7F, .. "ELF"u8, .. new byte[4000]],
        4 => "%PDF-1.7\n%%EOF"u8.ToArray(),
        _ => [],
    };

    // A header that announces far more than there is: PNG, GIF and BMP of billions of pixels.
    private static byte[] Bomb(int i)
    {
        byte[] size = new byte[8], png = PngBytes.Write(4, 4, 0, 8, (_, _, _) => 1, false);
        BinaryPrimitives.WriteInt32BigEndian(size, 60_000);
        BinaryPrimitives.WriteInt32BigEndian(size.AsSpan(4), 60_000);
        return (i / 20 % 3) switch
        {
            0 => [.. png[..16], .. size, .. png[24..]],
            1 => [.. "GIF89a"u8, 0xFF, 0xFF, 0xFF, 0xFF, 0xF7, 0, 0, .. new byte[3 * 256],
                0x2C, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 8, 0],
            _ => [.. "BM"u8, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0,
                0x60, 0xEA, 0, 0, 0x60, 0xEA, 0, 0, 1, 0, 24, 0, .. new byte[24]],
        };
    }

    private string SlowBody() => $"POST {Uploads} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Length: 100000\r\n\r\nGIF89a";

    // Sends bytes as they are and waits for an answer for a while; then it hangs up.
    private async Task<string> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var stall = new CancellationTokenSource(Stall);
        byte[] answer = new byte[4096];
        try
        {
            int read = await stream.ReadAsync(answer, stall.Token);
            string text = Encoding.Latin1.GetString(answer, 0, read);
            bool hasStatus = int.TryParse(text.Split(' ').ElementAtOrDefault(1), CultureInfo.InvariantCulture, out int status);
            return hasStatus ? Outcome(status, text) : "connection closed";
        }
        catch (OperationCanceledException)
        {
            return "given up (slow body)";
        }
    }

    private string Outcome(int status, string body)
    {
        if (body.Contains(secret, StringComparison.Ordinal)) return "FAULT the answer has what is in a file outside";
        // 505 is what HTTP asks for where a request names a version that there is not.
        bool isAllowed = status < 500 || (HttpStatusCode)status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.HttpVersionNotSupported;
        return isAllowed ? $"{status}" : $"FAULT {status}: {body.Split('\n')[^1]}";
    }
}
