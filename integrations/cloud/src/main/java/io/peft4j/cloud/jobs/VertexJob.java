package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What Vertex AI tells a container, by variables. Where it says {@code gs://}, a path does as well.
 *
 * @param environment the variables
 */
record VertexJob(Map<String, String> environment) {
    /** Variables that are no options of a training. */
    private static final Set<String> OTHERS = Set.of("PEFT4J_JAVA_OPTS", "PEFT4J_API_KEY", VertexTraining.EVALUATION,
            Hosts.SECRET);
    private static final String PREFIX = "PEFT4J_";
    private static final ObjectMapper JSON = new ObjectMapper();

    Optional<String> value(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }

    String required(String name, String what) {
        return value(name).orElseThrow(() -> new ConfigurationException("the variable " + name + " is not set; it says "
                + what));
    }

    /** The options of the training by name, with underscores. */
    Map<String, String> options() {
        Map<String, String> options = new TreeMap<>();
        environment.forEach((name, value) -> {
            if (name.startsWith(PREFIX) && !OTHERS.contains(name)) {
                options.put(name.substring(PREFIX.length()).toLowerCase(Locale.ROOT), value);
            }
        });
        return options;
    }

    /** The file of data that a variable names: an object, all objects of a folder, or those that fit a pattern. */
    Optional<Path> data(String name) {
        Optional<String> place = value(name);
        if (place.isEmpty()) {
            return Optional.empty();
        }
        value("AIP_DATA_FORMAT").filter(format -> !format.equalsIgnoreCase("jsonl")).ifPresent(format -> {
            throw new ConfigurationException("AIP_DATA_FORMAT is " + format + "; only jsonl can be trained on");
        });
        String what = name + " (" + place.get() + ")";
        int star = place.get().indexOf('*');
        if (star < 0) {
            Path local = RemoteFolder.open(place.get()).local();
            if (!Files.exists(local)) {
                throw new ConfigurationException(what + " does not exist");
            }
            return Optional.of(Files.isDirectory(local) ? Channel.oneFile(Channel.files(local), what) : local);
        }
        int slash = place.get().lastIndexOf('/', star);
        Path folder = RemoteFolder.open(place.get().substring(0, Math.max(1, slash))).local();
        List<Path> files = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:"
                    + place.get().substring(slash + 1));
            Channel.files(folder).stream().filter(file -> matcher.matches(folder.relativize(file))).forEach(files::add);
        }
        return Optional.of(Channel.oneFile(files, what));
    }

    Hosts hosts() {
        Optional<String> text = value("CLUSTER_SPEC");
        if (text.isEmpty()) {
            return Hosts.one();
        }
        try {
            JsonNode spec = JSON.readTree(text.get());
            List<String> all = new ArrayList<>();
            Map<String, JsonNode> pools = new TreeMap<>();
            spec.path("cluster").properties().forEach(pool -> pools.put(pool.getKey(), pool.getValue()));
            pools.values().forEach(pool -> pool.forEach(host -> all.add(host.asText())));
            return all.isEmpty() ? Hosts.one() : Hosts.of(spec.path("cluster").path(spec.path("task").path("type")
                    .asText()).path(spec.path("task").path("index").asInt()).asText(), all);
        } catch (IOException e) {
            throw new ConfigurationException("the variable CLUSTER_SPEC is not valid JSON: " + text.get(), e);
        }
    }

    /** A folder of this machine for what Vertex AI has no place for. */
    static Path scratch() {
        try {
            return Files.createTempDirectory("peft4j-run-");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a folder for the training: " + AtomicFiles.reason(e), e);
        }
    }
}
