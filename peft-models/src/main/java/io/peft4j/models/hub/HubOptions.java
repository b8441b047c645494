package io.peft4j.models.hub;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.With;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the hub and its cache are. The defaults come from the same environment variables as in Python:
 *
 * <table>
 * <caption>Environment variables</caption>
 * <tr><th>variable</th><th>meaning</th><th>default</th></tr>
 * <tr><td>{@code HF_ENDPOINT}</td><td>address of the hub or of a mirror</td><td>the public hub</td></tr>
 * <tr><td>{@code HF_HOME}</td><td>folder of everything of the hub</td>
 *     <td>{@code huggingface} in {@code XDG_CACHE_HOME} or in {@code ~/.cache}</td></tr>
 * <tr><td>{@code HF_HUB_CACHE}</td><td>folder of the models</td><td>{@code $HF_HOME/hub}</td></tr>
 * <tr><td>{@code HF_HUB_OFFLINE}</td><td>1: no request to the hub</td><td>0</td></tr>
 * <tr><td>{@code HF_TOKEN}</td><td>access token</td>
 *     <td>the content of {@code HF_TOKEN_PATH} or {@code $HF_HOME/token}</td></tr>
 * <tr><td>{@code HF_HUB_DISABLE_IMPLICIT_TOKEN}</td><td>1: no token from the environment is sent</td><td>0</td></tr>
 * </table>
 *
 * <p>A proxy is set as always in Java, with {@code -Dhttps.proxyHost} and {@code -Dhttps.proxyPort}.
 *
 * @param cacheFolder folder of the models; it need not exist
 * @param endpoint address of the hub, http or https, possibly with a path
 * @param token access token, sent to the endpoint's host and to no other
 * @param offline true: no request to the hub
 */
@With
public record HubOptions(Path cacheFolder, URI endpoint, Optional<String> token,
        boolean offline) implements HubOptionsWith {
    private static final Logger LOG = LoggerFactory.getLogger(HubOptions.class);
    private static final String PUBLIC_HUB = "https://huggingface.co";
    private static final Set<String> TRUE_VALUES = Set.of("1", "ON", "YES", "TRUE");

    /**
     * Checks the endpoint.
     *
     * @throws ConfigurationException when the endpoint is not an http or https address
     */
    public HubOptions {
        HubOptionsWith.check(cacheFolder, endpoint, token);
        String scheme = endpoint.getScheme();
        if (endpoint.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
            throw new ConfigurationException("The hub's address (HF_ENDPOINT) is '" + endpoint
                    + "'; use an http or https URL such as " + PUBLIC_HUB + ".");
        }
    }

    /**
     * The options that this process's environment asks for.
     *
     * @return the options
     * @throws ConfigurationException when a variable holds something that cannot be used
     */
    public static HubOptions fromEnvironment() {
        return from(System.getenv());
    }

    /**
     * The options that an environment asks for.
     *
     * @param environment variables by name; one with a blank value counts as unset
     * @return the options
     * @throws ConfigurationException when a variable holds something that cannot be used
     */
    public static HubOptions from(Map<String, String> environment) {
        Environment env = new Environment(environment);
        Path home = env.get("HF_HOME").map(env::path)
                .orElseGet(() -> env.get("XDG_CACHE_HOME").map(env::path).orElseGet(() -> env.home().resolve(".cache"))
                        .resolve("huggingface"));
        Path cache = env.get("HF_HUB_CACHE").or(() -> env.get("HUGGINGFACE_HUB_CACHE")).map(env::path)
                .orElseGet(() -> home.resolve("hub"));
        boolean offline = env.isTrue("HF_HUB_OFFLINE") || env.isTrue("TRANSFORMERS_OFFLINE");
        return new HubOptions(cache, endpoint(env.get("HF_ENDPOINT").orElse(PUBLIC_HUB)), token(env, home), offline);
    }

    /**
     * The same options with another hub.
     *
     * @param address address of the hub
     * @return the new options
     * @throws ConfigurationException when it is not an http or https address
     */
    public HubOptions withEndpoint(String address) {
        return withEndpoint(endpoint(address));
    }

    /** All but the token, which must not end up in a log. */
    @Override
    public String toString() {
        return "HubOptions[cacheFolder=" + cacheFolder + ", endpoint=" + endpoint + ", token="
                + (token.isPresent() ? "set" : "none") + ", offline=" + offline + "]";
    }

    private static URI endpoint(String address) {
        String trimmed = address.strip();
        while (trimmed.endsWith("/")) {
            trimmed = trimmed.substring(0, trimmed.length() - 1);
        }
        try {
            return URI.create(trimmed);
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("The hub's address (HF_ENDPOINT) is '" + address
                    + "', which is not a valid URL: " + e.getMessage(), e);
        }
    }

    private static Optional<String> token(Environment env, Path home) {
        if (env.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
            return Optional.empty();
        }
        return env.get("HF_TOKEN").or(() -> env.get("HUGGING_FACE_HUB_TOKEN")).map(String::strip)
                .or(() -> tokenFile(env.get("HF_TOKEN_PATH").map(env::path).orElseGet(() -> home.resolve("token"))));
    }

    private static Optional<String> tokenFile(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty());
        } catch (IOException e) {
            // Most models need no token; one that does gives a 401 that says whether a token was sent.
            LOG.warn("Cannot read the access token in {}: {}", file, e.toString());
            return Optional.empty();
        }
    }

    /** A view of the variables that treats blank as unset and knows {@code ~}. */
    private record Environment(Map<String, String> variables) {

        Optional<String> get(String name) {
            return Optional.ofNullable(variables.get(name)).filter(value -> !value.isBlank());
        }

        boolean isTrue(String name) {
            return get(name).map(value -> TRUE_VALUES.contains(value.strip().toUpperCase(Locale.ROOT))).orElse(false);
        }

        Path home() {
            return Path.of(get("HOME").or(() -> get("USERPROFILE")).orElseGet(() -> System.getProperty("user.home")));
        }

        Path path(String value) {
            boolean inHome = value.equals("~") || value.startsWith("~/");
            return inHome ? home().resolve(value.substring(1).replaceFirst("^/+", "")) : Path.of(value);
        }
    }
}
