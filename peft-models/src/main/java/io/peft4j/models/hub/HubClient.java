package io.peft4j.models.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.models.hub.HubException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The requests to the hub. Redirects are followed here and not by the HTTP client, so that the access token goes to the
 * endpoint's own host and to no other.
 */
final class HubClient {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration HEADER_TIMEOUT = Duration.ofSeconds(30);
    private static final int MAX_REDIRECTS = 10;
    private static final int MAX_LISTING_BYTES = 64 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HubOptions options;
    private HttpClient http;

    HubClient(HubOptions options) {
        this.options = options;
    }

    /** Made at the first request: with its TLS it takes a quarter of a second, and a model in the cache needs none. */
    private synchronized HttpClient http() {
        if (http == null) {
            http = newHttp();
        }
        return http;
    }

    /** HTTP/1.1: one connection a file, and large bodies come faster than over one HTTP/2 stream. */
    private static HttpClient newHttp() {
        return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_TIMEOUT)
                .followRedirects(HttpClient.Redirect.NEVER).build();
    }

    /** The commit and the files of a model. */
    HubListing list(ModelReference model) throws HubException {
        URI address = URI.create(options.endpoint() + "/api/models/" + model.id() + "/revision/"
                + encode(model.revision()) + "?blobs=true");
        HttpResponse<InputStream> response = follow(HttpRequest.newBuilder(address).GET());
        byte[] body;
        try (InputStream in = response.body()) {
            body = in.readNBytes(MAX_LISTING_BYTES);
        } catch (IOException e) {
            throw new HubException(Kind.CONNECTION, "the connection to " + options.endpoint() + " broke: "
                    + describe(e), e);
        }
        if (response.statusCode() != 200) {
            throw refused(response, model);
        }
        return parseListing(body);
    }

    /**
     * Opens a file's content.
     *
     * @param offset how many bytes are there already
     * @return a response with status 200 (all of it) or 206 (from the offset on) or 416 (the offset is wrong)
     */
    HttpResponse<InputStream> open(ModelReference model, String commit, HubFile file, long offset) throws HubException {
        HttpRequest.Builder request = HttpRequest.newBuilder(fileAddress(model, commit, file)).GET();
        if (offset > 0) {
            request.header("Range", "bytes=" + offset + "-");
        }
        HttpResponse<InputStream> response = follow(request);
        int status = response.statusCode();
        if (status != 200 && status != 206 && !(status == 416 && offset > 0)) {
            discard(response);
            throw refused(response, model);
        }
        return response;
    }

    /** The name that the hub gives to a file's content, for a listing that did not tell. */
    String etag(ModelReference model, String commit, HubFile file) throws HubException {
        HttpRequest.Builder request = HttpRequest.newBuilder(fileAddress(model, commit, file))
                .method("HEAD", HttpRequest.BodyPublishers.noBody());
        HttpResponse<InputStream> response = follow(request, true);
        discard(response);
        if (response.statusCode() >= 400) {
            throw refused(response, model);
        }
        return response.headers().firstValue("X-Linked-Etag").or(() -> response.headers().firstValue("ETag"))
                .map(value -> value.replaceFirst("^W/", "").replace("\"", ""))
                .filter(HubFile::isPlainName)
                .orElseThrow(() -> new HubException(Kind.FINAL, options.endpoint() + " reports no checksum for "
                        + file.name()));
    }

    private URI fileAddress(ModelReference model, String commit, HubFile file) {
        StringBuilder path = new StringBuilder();
        for (String part : file.name().split("/")) {
            path.append('/').append(encode(part));
        }
        return URI.create(options.endpoint() + "/" + model.id() + "/resolve/" + encode(commit) + path);
    }

    private HttpResponse<InputStream> follow(HttpRequest.Builder request) throws HubException {
        return follow(request, false);
    }

    /**
     * Sends a request and follows redirects.
     *
     * @param sameHostOnly true: a redirect that leaves the endpoint's host is the answer itself (its headers tell
     *     what the hub knows about a file that lies elsewhere)
     */
    private HttpResponse<InputStream> follow(HttpRequest.Builder request, boolean sameHostOnly) throws HubException {
        HttpRequest first = request.timeout(HEADER_TIMEOUT).header("User-Agent", "peft4j").build();
        URI address = first.uri();
        for (int i = 0; i < MAX_REDIRECTS; i++) {
            HttpResponse<InputStream> response = send(withToken(first, address));
            Optional<String> location = response.headers().firstValue("Location");
            int status = response.statusCode();
            boolean redirect = location.isPresent()
                    && (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
            if (!redirect) {
                return response;
            }
            URI next = redirectTarget(address, location.get());
            if (sameHostOnly && !isEndpoint(next)) {
                return response;
            }
            discard(response);
            address = next;
        }
        throw new HubException(Kind.FINAL, options.endpoint() + " redirected more than " + MAX_REDIRECTS + " times");
    }

    private HttpRequest withToken(HttpRequest first, URI address) {
        HttpRequest.Builder request = HttpRequest.newBuilder(first, (name, value) -> true).uri(address);
        if (options.token().isPresent() && isEndpoint(address)) {
            request.header("Authorization", "Bearer " + options.token().get());
        }
        return request.build();
    }

    private boolean isEndpoint(URI address) {
        URI endpoint = options.endpoint();
        return endpoint.getScheme().equals(address.getScheme())
                && endpoint.getHost().equalsIgnoreCase(address.getHost())
                && endpoint.getPort() == address.getPort();
    }

    private static URI redirectTarget(URI from, String location) throws HubException {
        URI target;
        try {
            target = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new HubException(Kind.FINAL, from.getHost() + " redirected to '" + location
                    + "', which is not a valid URL", e);
        }
        boolean web = target.getHost() != null && List.of("http", "https").contains(target.getScheme());
        boolean weaker = "https".equals(from.getScheme()) && "http".equals(target.getScheme());
        if (!web || weaker) {
            throw new HubException(Kind.FINAL, from.getHost() + " redirected to " + target + ", which is not followed");
        }
        return target;
    }

    private HttpResponse<InputStream> send(HttpRequest request) throws HubException {
        try {
            return http().send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException("Interrupted while asking " + request.uri().getHost(),
                    new InterruptedIOException());
        } catch (IOException e) {
            String place = isEndpoint(request.uri()) ? options.endpoint().toString() : request.uri().getHost();
            throw new HubException(Kind.CONNECTION, "cannot reach " + place + ": " + describe(e), e);
        }
    }

    private HubException refused(HttpResponse<?> response, ModelReference model) {
        int status = response.statusCode();
        String hub = options.endpoint() + " answered " + status;
        String token = options.token().isPresent() ? "the access token has no access to it"
                : "no access token was sent (HF_TOKEN)";
        if (status == 401 || status == 403) {
            return new HubException(Kind.FINAL, hub + ": no model " + model.id()
                    + ", or it is private or its terms have not been accepted, and " + token);
        }
        if (status == 404) {
            return new HubException(Kind.ABSENT, hub + ": no model " + model.id() + " with a revision "
                    + model.revision());
        }
        boolean busy = status == 429 || status >= 500;
        HubException refused = new HubException(busy ? Kind.BUSY : Kind.FINAL, hub
                + response.headers().firstValue("X-Error-Message").map(text -> " (" + text + ")").orElse("")
                + (busy ? ": it is busy or broken" : ""));
        return refused.asksToWait(response.headers().firstValue("Retry-After").map(HubClient::time)
                .orElse(Duration.ZERO));
    }

    /** A number of seconds, or the date until which to wait. */
    private static Duration time(String retryAfter) {
        try {
            return retryAfter.matches("[0-9]{1,6}") ? Duration.ofSeconds(Long.parseLong(retryAfter))
                    : Duration.between(Instant.now(),
                            ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
        } catch (DateTimeParseException e) {
            return Duration.ZERO;
        }
    }

    private HubListing parseListing(byte[] body) throws HubException {
        JsonNode root;
        try {
            root = JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw new HubException(Kind.FINAL, notAHub("the answer is not JSON"), e);
        } catch (IOException e) {
            throw new HubException(Kind.FINAL, notAHub(describe(e)), e);
        }
        String commit = root.path("sha").asText("");
        if (!HubFile.isPlainName(commit) || !root.path("siblings").isArray()) {
            throw new HubException(Kind.FINAL, notAHub("the answer names no commit or no files"));
        }
        List<HubFile> files = new ArrayList<>();
        for (JsonNode entry : root.path("siblings")) {
            files.add(parseFile(entry));
        }
        return new HubListing(commit, files);
    }

    private static HubFile parseFile(JsonNode entry) {
        String name = entry.path("rfilename").asText("");
        JsonNode large = entry.path("lfs");
        long size = large.path("size").asLong(entry.path("size").asLong(-1));
        String sha256 = large.path("sha256").asText("").toLowerCase(Locale.ROOT);
        String git = entry.path("blobId").asText("").toLowerCase(Locale.ROOT);
        Optional<ExpectedHash> checksum = Optional.empty();
        if (sha256.matches("[0-9a-f]{64}")) {
            checksum = Optional.of(ExpectedHash.sha256(sha256));
        } else if (large.isMissingNode() && git.matches("[0-9a-f]{40}")) {
            checksum = Optional.of(ExpectedHash.gitBlob(git));
        }
        return new HubFile(name, size, checksum);
    }

    private String notAHub(String why) {
        return options.endpoint() + " does not answer like a model hub (" + why + "); check HF_ENDPOINT and the proxy";
    }

    private static void discard(HttpResponse<InputStream> response) {
        try {
            response.body().close();
        } catch (IOException e) {
            // The body is not wanted; the connection is dropped.
        }
    }

    /** The kind of trouble and its message, which the JDK often leaves empty. */
    static String describe(Throwable e) {
        String kind = e.getClass().getSimpleName();
        Throwable cause = e.getCause();
        while (e.getMessage() == null && cause != null) {
            if (cause.getMessage() != null) {
                return kind + ", " + cause.getMessage();
            }
            kind = cause.getClass().getSimpleName();
            cause = cause.getCause();
        }
        return e.getMessage() == null ? kind : kind + ", " + e.getMessage();
    }

    private static String encode(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /**
     * The files of a model at one commit.
     *
     * @param commit the commit
     * @param files all its files
     */
    record HubListing(String commit, List<HubFile> files) {

        Optional<HubFile> find(String name) {
            return files.stream().filter(file -> file.name().equals(name)).findFirst();
        }

        List<String> names(String suffix) {
            return files.stream().map(HubFile::name).filter(name -> name.endsWith(suffix)).sorted().toList();
        }
    }
}
