package io.peft4j.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A tree such as SageMaker makes below {@code /opt/ml}.
 *
 * @param root its root
 */
record MlFolder(Path root) {
    private static final ObjectMapper JSON = new ObjectMapper();
    static final Path MODEL = CommandRun.FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();

    /** A job with 12 conversations in the channel training and these hyperparameters besides the usual ones. */
    static MlFolder of(Path root, Map<String, String> hyperparameters) {
        MlFolder folder = new MlFolder(root);
        folder.channel("training", chats(0, 12));
        Map<String, String> all = new TreeMap<>(Map.of("model", MODEL.toString(), "epochs", "2", "batch_size", "4",
                "learning_rate", "1e-3", "rank", "4", "dtype", "f32", "threads", "2"));
        all.putAll(hyperparameters);
        folder.hyperparameters(all);
        folder.config("resourceconfig.json", Map.of("current_host", "algo-1", "hosts", List.of("algo-1")));
        return folder;
    }

    void hyperparameters(Map<String, String> all) {
        config("hyperparameters.json", all);
    }

    void config(String name, Object value) {
        try {
            write("input/config/" + name, List.of(JSON.writeValueAsString(value)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void channel(String name, List<String> rows) {
        write("input/data/" + name + "/rows.jsonl", rows);
    }

    Path write(String name, List<String> lines) {
        try {
            Path file = root.resolve(name);
            Files.createDirectories(file.getParent());
            return Files.write(file, lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> chats(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "{\"messages\": [{\"role\": \"user\", \"content\": \"Who "
                + "is number " + i + "?\"}, {\"role\": \"assistant\", \"content\": \"Keeper " + i + ".\"}]}")
                .toList();
    }

    String failure() {
        return text("output/failure");
    }

    String text(String name) {
        return new String(bytes(name), StandardCharsets.UTF_8);
    }

    byte[] bytes(String name) {
        try {
            return Files.readAllBytes(root.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean has(String name) {
        return Files.exists(root.resolve(name));
    }
}
