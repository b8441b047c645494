package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A service that speaks OpenAI's API. Requests that are refused for a while (status 429, or 500 and more) are sent
 * again, when the service says so or after pauses that double.
 */
public final class Service {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final Duration ANSWER = Duration.ofMinutes(5);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(2);
    private static final int PAGE = 100;
    private static final int SHOWN = 200;
    private static final int MOST_REASON = 10_000;
    /** More than any account holds; a service whose pages never end must not fill the memory. */
    private static final int MOST_LISTED = 100_000;

    private final String base;
    private final Optional<String> key;
    private final int tries;
    private final Duration pause;
    private final AtomicBoolean reached = new AtomicBoolean();
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(CONNECT)
            .followRedirects(HttpClient.Redirect.NEVER).build();

    private Service(String base, Optional<String> key, int tries, Duration pause) {
        this.base = base;
        this.key = key;
        this.tries = tries;
        this.pause = pause;
    }

    /**
     * A service; six tries of each request, the second after a second.
     *
     * @param address where the API begins, for instance {@code http://localhost:8080/v1}
     * @throws ConfigurationException when it is not an http or https address
     */
    public static Service at(String address) {
        String trimmed = address.endsWith("/") ? address.substring(0, address.length() - 1) : address;
        try {
            URI uri = URI.create(trimmed);
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return new Service(trimmed, Optional.empty(), 6, Duration.ofSeconds(1));
            }
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("'" + address + "' is not a valid service URL: " + e.getMessage(), e);
        }
        throw new ConfigurationException("'" + address + "' is not an http or https URL such as "
                + "http://localhost:8080/v1");
    }

    /** With a key, sent as a bearer token to this service alone. */
    public Service withKey(String value) {
        return new Service(base, Optional.of(value), tries, pause);
    }

    /** With another number of tries, and another pause before the second. */
    public Service withTries(int number, Duration first) {
        return new Service(base, key, number, first);
    }

    /** All elements of a list that comes in pages. */
    List<JsonNode> list(String path) {
        List<JsonNode> all = new ArrayList<>();
        Optional<String> after = Optional.empty();
        while (all.size() < MOST_LISTED) {
            String separator = path.contains("?") ? "&" : "?";
            String from = after.map(id -> "&after=" + quoted(id)).orElse("");
            JsonNode page = get(path + separator + "limit=" + PAGE + from);
            JsonNode data = page.path("data");
            data.forEach(all::add);
            Optional<String> last = data.isEmpty() ? Optional.empty()
                    : Optional.of(data.get(data.size() - 1).path("id").asText());
            if (!page.path("has_more").asBoolean(false) || last.isEmpty() || last.equals(after)) {
                return all;
            }
            after = last;
        }
        return all;
    }

    JsonNode get(String path) {
        return json(path, send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString()).body());
    }

    JsonNode post(String path, ObjectNode body) {
        return json(path, send(request(path).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString())).build(),
                HttpResponse.BodyHandlers.ofString()).body());
    }

    /** Downloads into a file that is there as a whole or not at all; again where the connection breaks on the way. */
    void download(String path, Path target) throws IOException {
        Duration wait = pause;
        for (int attempt = 1;; attempt++) {
            try {
                downloadOnce(path, target);
                return;
            } catch (IOException e) {
                if (attempt == tries) {
                    throw e;
                }
            }
            sleep(wait, path);
            wait = wait.multipliedBy(2);
        }
    }

    private void downloadOnce(String path, Path target) throws IOException {
        Path partial = target.resolveSibling(target.getFileName() + ".part");
        HttpResponse<InputStream> reply = send(request(path).GET().build(), HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream in = reply.body()) {
            Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
        }
        long expected = reply.headers().firstValueAsLong("Content-Length").orElse(-1);
        if (expected >= 0 && Files.size(partial) != expected) {
            throw new IOException(path + ": " + Files.size(partial) + " of " + expected + " bytes received");
        }
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    static String quoted(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path)).timeout(ANSWER);
        key.ifPresent(token -> request.header("Authorization", "Bearer " + token));
        return request;
    }

    private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        String what = request.method() + " " + request.uri().getPath();
        Duration wait = pause;
        for (int attempt = 1;; attempt++) {
            try {
                HttpResponse<T> reply = client.send(request, handler);
                reached.set(true);
                int status = reply.statusCode();
                if (status == 200) {
                    return reply;
                }
                if (attempt == tries || status != 429 && status < 500) {
                    throw new ServiceException(status, what + " returned status " + status + reason(reply.body()));
                }
                wait = asked(reply).orElse(wait);
            } catch (ConnectException e) {
                // A service that was there comes again, an address that is wrong does not get right.
                if (attempt == tries || !reached.get()) {
                    throw new ServiceException(0, "cannot connect to " + base + "; check the address and the network");
                }
            } catch (IOException e) {
                if (attempt == tries) {
                    throw new ServiceException(0, what + " failed: " + (e.getMessage() == null ? e.toString()
                            : e.getMessage()));
                }
            } catch (InterruptedException e) {
                throw interrupted(what);
            }
            sleep(wait, what);
            wait = wait.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wait.multipliedBy(2);
        }
    }

    private static Optional<Duration> asked(HttpResponse<?> reply) {
        return reply.headers().firstValue("Retry-After").filter(text -> text.strip().matches("\\d{1,5}"))
                .map(text -> Duration.ofSeconds(Long.parseLong(text.strip())))
                .map(wait -> wait.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wait);
    }

    private static void sleep(Duration wait, String what) {
        try {
            Thread.sleep(wait.toMillis());
        } catch (InterruptedException e) {
            throw interrupted(what);
        }
    }

    private static ServiceException interrupted(String what) {
        Thread.currentThread().interrupt();
        return new ServiceException(0, what + " was interrupted");
    }

    /** The message of OpenAI's error object, where the answer is one. */
    private static String reason(Object body) {
        try {
            String text = body instanceof InputStream in
                    ? new String(in.readNBytes(MOST_REASON), StandardCharsets.UTF_8) : String.valueOf(body);
            return reason(text);
        } catch (IOException e) {
            // The reason went with the connection; the status is known.
            return "";
        }
    }

    private static String reason(String text) {
        try {
            String message = JSON.readTree(text).path("error").path("message").asText("");
            return message.isEmpty() ? "" : ": " + shortened(message);
        } catch (JsonProcessingException e) {
            return ": " + shortened(text);
        }
    }

    private static String shortened(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + " ...";
    }

    private static JsonNode json(String path, String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new ServiceException(200, path + " returned invalid JSON: " + shortened(text));
        }
    }
}
