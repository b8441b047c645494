package io.peft4j.eval.judge;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * A server that speaks OpenAI's protocol, and a model on it. Immutable; may be used by several threads.
 *
 * <p>A request is tried again after a pause where the server says that it is busy or has failed (status 429 or 500 and
 * above) or the connection broke; any other status is an error at once.
 */
public final class Endpoint {
    private static final int SHOWN = 200;

    private final URI base;
    private final String model;
    private final Optional<String> key;
    private final Duration timeout;
    private final int tries;
    private final Duration pause;
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

    private Endpoint(URI base, String model, Optional<String> key, Duration timeout, int tries, Duration pause) {
        this.base = base;
        this.model = Objects.requireNonNull(model, "model");
        this.key = key;
        this.timeout = timeout;
        this.tries = tries;
        this.pause = pause;
    }

    /**
     * A model on a server; no key, 60 seconds for an answer, three tries a second apart and then two.
     *
     * @param base where the API begins, for instance {@code http://localhost:8000/v1}
     * @param model the model's name there
     * @throws ConfigurationException when it is not an http or https address
     */
    public static Endpoint of(String base, String model) {
        try {
            URI uri = new URI(base.endsWith("/") ? base.substring(0, base.length() - 1) : base);
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return new Endpoint(uri, model, Optional.empty(), Duration.ofSeconds(60), 3, Duration.ofSeconds(1));
            }
        } catch (java.net.URISyntaxException e) {
            throw new ConfigurationException("invalid URL \"" + base + "\": " + e.getReason(), e);
        }
        throw new ConfigurationException("\"" + base + "\" is not an http or https URL, such as "
                + "http://localhost:8000/v1");
    }

    /** The same with a key, sent as a bearer token. */
    public Endpoint withKey(String newKey) {
        return new Endpoint(base, model, Optional.of(newKey), timeout, tries, pause);
    }

    /** The same with another model. */
    public Endpoint withModel(String name) {
        return new Endpoint(base, name, key, timeout, tries, pause);
    }

    /** The same with another limit of time for an answer. */
    public Endpoint withTimeout(Duration newTimeout) {
        return new Endpoint(base, model, key, newTimeout, tries, pause);
    }

    /**
     * The same with another number of tries.
     *
     * @param number at least 1
     * @param newPause before the second try; it doubles with each
     */
    public Endpoint withTries(int number, Duration newPause) {
        if (number < 1) {
            throw new ConfigurationException("attempts must be at least 1, got " + number);
        }
        return new Endpoint(base, model, key, timeout, number, newPause);
    }

    /** The model's name. */
    public String model() {
        return model;
    }

    /**
     * Sends a request.
     *
     * @param path below the base, for instance {@code chat/completions}
     * @param body what is sent; the model's name is added
     * @throws UncheckedIOException when the server cannot be reached, refuses, or answers with something that is not
     *     JSON
     */
    JsonNode post(String path, ObjectNode body) {
        body.put("model", model);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/" + path)).timeout(timeout)
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body.toString()));
        key.ifPresent(token -> request.header("Authorization", "Bearer " + token));
        Duration wait = pause;
        for (int attempt = 1;; attempt++) {
            try {
                HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
                boolean passing = response.statusCode() == 429 || response.statusCode() >= 500;
                if (!passing || attempt == tries) {
                    return read(path, response);
                }
            } catch (IOException e) {
                if (attempt == tries) {
                    throw new UncheckedIOException(base + "/" + path + " cannot be reached: " + e, e);
                }
            } catch (InterruptedException e) {
                throw interrupted(path);
            }
            sleep(wait, path);
            wait = wait.multipliedBy(2);
        }
    }

    private JsonNode read(String path, HttpResponse<String> response) {
        if (response.statusCode() != 200) {
            throw trouble(path, "answers with status " + response.statusCode() + ": " + shortened(response.body()));
        }
        try {
            return new ObjectMapper().readTree(response.body());
        } catch (JsonProcessingException e) {
            throw trouble(path, "does not answer with JSON: " + shortened(response.body()));
        }
    }

    private void sleep(Duration wait, String path) {
        try {
            Thread.sleep(wait.toMillis());
        } catch (InterruptedException e) {
            throw interrupted(path);
        }
    }

    private UncheckedIOException interrupted(String path) {
        Thread.currentThread().interrupt();
        return trouble(path, "was interrupted");
    }

    /** An error of this server. */
    UncheckedIOException trouble(String path, String what) {
        String message = base + "/" + path + " " + what;
        return new UncheckedIOException(message, new IOException(message));
    }

    static String shortened(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + " ...";
    }
}
