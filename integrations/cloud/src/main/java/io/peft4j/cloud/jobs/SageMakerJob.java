package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What SageMaker tells a training container: files below a root, and the variables of its toolkit where a file is not
 * there.
 *
 * @param root {@code /opt/ml}
 * @param environment the variables
 */
record SageMakerJob(Path root, Map<String, String> environment) {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** What the Python SDK adds for itself. */
    private static final String RESERVED = "sagemaker_";

    private Path config(String name) {
        return root.resolve("input/config").resolve(name);
    }

    /** The hyperparameters, without those of the SDK. */
    Map<String, String> hyperparameters() {
        Map<String, String> all = new TreeMap<>();
        Optional<JsonNode> file = read(config("hyperparameters.json")).or(() -> variable("SM_HPS"));
        if (file.isPresent()) {
            file.get().properties().forEach(field -> all.put(field.getKey(), text(field.getValue())));
        } else {
            environment.forEach((name, value) -> {
                if (name.startsWith("SM_HP_")) {
                    all.put(name.substring("SM_HP_".length()).toLowerCase(Locale.ROOT), value);
                }
            });
        }
        all.keySet().removeIf(name -> name.startsWith(RESERVED));
        return all;
    }

    /** The folders of the channels by name. */
    Map<String, Path> channels() {
        Map<String, Path> channels = new LinkedHashMap<>();
        Path data = root.resolve("input/data");
        if (Files.isDirectory(data)) {
            try (Stream<Path> entries = Files.list(data)) {
                entries.filter(Files::isDirectory).sorted()
                        .forEach(folder -> channels.put(folder.getFileName().toString(), folder));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot list " + data + ": " + AtomicFiles.reason(e), e);
            }
        }
        environment.forEach((name, value) -> {
            if (name.startsWith("SM_CHANNEL_")) {
                channels.put(name.substring("SM_CHANNEL_".length()).toLowerCase(Locale.ROOT), Path.of(value));
            }
        });
        requireFiles();
        return channels;
    }

    private void requireFiles() {
        read(config("inputdataconfig.json")).ifPresent(all -> all.properties().forEach(channel -> {
            if (channel.getValue().path("TrainingInputMode").asText().equals("Pipe")) {
                throw new ConfigurationException("the channel '" + channel.getKey() + "' has the input mode Pipe, "
                        + "which gives the data once only; use File or FastFile");
            }
        }));
    }

    /** The machines. */
    Hosts hosts() {
        Optional<JsonNode> file = read(config("resourceconfig.json"));
        Optional<JsonNode> hosts = file.map(node -> node.path("hosts")).or(() -> variable("SM_HOSTS"));
        List<String> names = new ArrayList<>();
        hosts.ifPresent(list -> list.forEach(host -> names.add(host.asText())));
        if (names.isEmpty()) {
            return Hosts.one();
        }
        return Hosts.of(file.map(node -> node.path("current_host").asText())
                .orElse(environment.getOrDefault("SM_CURRENT_HOST", names.get(0))), names);
    }

    /** Where the model goes, and lies when it is served. */
    Path model() {
        return Path.of(environment.getOrDefault("SM_MODEL_DIR", root.resolve("model").toString()));
    }

    /** Where all else goes that is to be kept. */
    Path outputData() {
        return Path.of(environment.getOrDefault("SM_OUTPUT_DATA_DIR", root.resolve("output/data").toString()));
    }

    /** The file that says why the job failed. */
    Path failure() {
        return root.resolve("output/failure");
    }

    /** The folder that is copied to S3 while the job runs, and back when it is started again. */
    Path checkpoints() {
        return root.resolve("checkpoints");
    }

    private Optional<JsonNode> variable(String name) {
        return Optional.ofNullable(environment.get(name)).map(text -> {
            try {
                return JSON.readTree(text);
            } catch (IOException e) {
                throw new ConfigurationException("the variable " + name + " is not valid JSON: " + text, e);
            }
        });
    }

    private static Optional<JsonNode> read(Path file) {
        return Files.isRegularFile(file) ? Optional.of(JsonFiles.object(file)) : Optional.empty();
    }

    private static String text(JsonNode value) {
        return value.isValueNode() ? value.asText() : value.toString();
    }
}
