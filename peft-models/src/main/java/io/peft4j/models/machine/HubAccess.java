package io.peft4j.models.machine;

import io.peft4j.models.hub.HubOptions;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Whether models can be had from the hub.
 *
 * @param endpoint its address
 * @param reached whether it answered
 * @param detail how it answered, or why it did not
 * @param cache where models are kept
 * @param models how many are there
 */
public record HubAccess(String endpoint, boolean reached, String detail, Path cache, long models) {
    private static final Duration PATIENCE = Duration.ofSeconds(4);

    /** Asks the hub, unless the options forbid it. */
    static HubAccess of(HubOptions options) {
        String endpoint = options.endpoint().toString();
        long models = models(options.cacheFolder());
        if (options.offline()) {
            return new HubAccess(endpoint, false, "not asked: HF_HUB_OFFLINE is set", options.cacheFolder(), models);
        }
        try {
            int status = HttpClient.newBuilder().connectTimeout(PATIENCE).build().send(
                    HttpRequest.newBuilder(options.endpoint()).method("HEAD", HttpRequest.BodyPublishers.noBody())
                            .timeout(PATIENCE).build(),
                    HttpResponse.BodyHandlers.discarding()).statusCode();
            return new HubAccess(endpoint, status < 500, "answers with status " + status, options.cacheFolder(),
                    models);
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName().replace("Exception", "")
                    : e.getMessage();
            return new HubAccess(endpoint, false, "does not answer: " + why.toLowerCase(Locale.ROOT),
                    options.cacheFolder(), models);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new HubAccess(endpoint, false, "not asked: interrupted", options.cacheFolder(), models);
        }
    }

    /** Those of the hub, and those that packages brought. */
    private static long models(Path cache) {
        return count(cache, "models--") + count(cache.resolve(".peft4j"), "");
    }

    private static long count(Path folder, String beginning) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> entry.getFileName().toString().startsWith(beginning)).count();
        } catch (IOException e) {
            // There is no cache yet.
            return 0;
        }
    }
}
