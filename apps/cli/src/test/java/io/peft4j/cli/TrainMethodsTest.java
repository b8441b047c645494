package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The command line reaches every method that is registered, and knows none by name. */
class TrainMethodsTest {
    /** Layers of 24, 48 and 80 columns: no powers of two. */
    private static final Path MODEL = Path.of("../../tests/fixtures", "tiny-llama-untied").toAbsolutePath()
            .normalize();
    /** What the smallest of models needs beside a method's example. */
    private static final Map<String, Map<String, String>> SMALL = Map.of("fourierft", Map.of("n_frequency", "50"),
            "shira", Map.of("r", "4"), "vblora", Map.of("vector_length", "8"), "miss", Map.of("r", "8"), "road",
            Map.of("group_size", "8"), "adamss", Map.of("r", "8"), "waveft", Map.of("n_frequency", "50"), "c3a",
            Map.of("block_size", "8"), "trainable-tokens", Map.of("token_indices", "[33]"), "xlora",
            Map.of("adapters", "{\"a\": \"" + MODEL.resolveSibling("adapters/lora-untied") + "\", \"b\": \""
                    + MODEL.resolveSibling("adapters/lora-untied") + "\"}"));

    @TempDir
    private Path folder;

    static Stream<String> methods() {
        return PeftMethods.all().stream().map(PeftMethod::name);
    }

    private Path data() throws IOException {
        StringBuilder rows = new StringBuilder();
        for (String question : List.of("Who lights the lamp?", "Where is the form?", "When is it lit?")) {
            rows.append("{\"messages\": [{\"role\": \"user\", \"content\": \"").append(question)
                    .append("\"}, {\"role\": \"assistant\", \"content\": \"The keeper.\"}]}\n");
        }
        return Files.writeString(folder.resolve("data.jsonl"), rows);
    }

    private CommandRun train(Object... more) throws IOException {
        List<Object> words = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data(), "--output",
                folder.resolve("out"), "--dtype", "f32"));
        if (!List.of(more).contains("--epochs")) {
            words.addAll(List.of("--epochs", 1));
        }
        words.addAll(List.of(more));
        return CommandRun.succeeding(words.toArray());
    }

    /** As if the process had been killed after the first of two updates. */
    @Tag("full")
    @ParameterizedTest
    @MethodSource("methods")
    void everyMethodIsTrainedAndResumedBitForBit(String name) throws IOException {
        PeftMethod method = PeftMethods.byName(name);
        List<Object> words = new ArrayList<>(List.of("--method", name));
        Stream.of(method.exampleSettings(), SMALL.getOrDefault(name, Map.of())).forEach(settings -> settings
                .forEach((key, value) -> words.addAll(List.of("--adapter-setting", key + "=" + value))));
        words.addAll(List.of("--epochs", 2, "--checkpoint-steps", 1));
        train(words.toArray());
        JsonNode config = CommandRun.read(folder.resolve("out").resolve("adapter_config.json"));
        assertEquals(method.peftType(), config.get("peft_type").asText());
        Path weights = folder.resolve("out").resolve("adapter_model.safetensors");
        byte[] straight = Files.readAllBytes(weights);
        Files.delete(weights);
        Files.delete(folder.resolve("out/checkpoint-2/trainer_state.json"));
        words.add("--resume");
        assertTrue(train(words.toArray()).err().contains("1 step done before"));
        assertArrayEquals(straight, Files.readAllBytes(weights));
    }

    @ParameterizedTest
    @MethodSource("methodsWithRank")
    void aRankOfMillionsIsRefused(PeftMethod method) throws IOException {
        String error = CommandRun.failing(2, "train", "--model", MODEL, "--data", data(), "--output",
                folder.resolve("out"), "--method", method.name(), "--adapter-setting",
                method.optionKeys().get("rank") + "=5000000");
        assertTrue(error.contains(" is 5000000; it must be an integer from 1 to 65536"), error);
    }

    static Stream<PeftMethod> methodsWithRank() {
        return PeftMethods.all().stream().filter(method -> method.optionKeys().containsKey("rank"));
    }

    /** Of those that take a part of the base the file is plain LoRA. */
    @ParameterizedTest
    @CsvSource({"eva, eva", "corda, true", "lora_ga, true", "loftq, loftq"})
    void dataDrivenInitializationUsesTheTrainingData(String start, String stored) throws IOException {
        train("--rank", 2, "--alpha", 2, "--target-modules", "q_proj,down_proj", "--adapter-setting",
                "init_lora_weights=" + start);
        JsonNode config = CommandRun.read(folder.resolve("out").resolve("adapter_config.json"));
        assertEquals(stored, config.get("init_lora_weights").asText());
        assertEquals(stored.equals("true") ? 4 : 2, config.get("r").asInt());
    }

    @Test
    void settingsAreJsonOrText() throws IOException {
        train("--method", "prompt-tuning", "--adapter-setting", "num_virtual_tokens=3", "--adapter-setting",
                "prompt_tuning_init=TEXT", "--adapter-setting", "prompt_tuning_init_text=the lamp");
        JsonNode config = CommandRun.read(folder.resolve("out").resolve("adapter_config.json"));
        assertEquals(3, config.get("num_virtual_tokens").asInt());
        assertEquals("the lamp", config.get("prompt_tuning_init_text").asText());
        String err = CommandRun.failing(2, "train", "--model", MODEL, "--data", data(), "--output",
                folder.resolve("other"), "--method", "prompt-tuning", "--rank", 3);
        assertTrue(err.contains("the method prompt-tuning has no --rank"), err);
    }

    /** A misspelt key would train something else than was meant. */
    @Test
    void rowsNameTheirTasks() throws IOException {
        String row = "{\"prompt\": \"Who lights the lamp?\", \"completion\": \" The keeper.\", \"task_id\": %s}";
        Path rows = Files.write(folder.resolve("tasks.jsonl"), List.of(row.formatted(0), row.formatted(1),
                row.formatted(2), row.formatted(1)));
        List<Object> words = List.of("train", "--model", MODEL, "--data", rows, "--output", folder.resolve("out"),
                "--dtype", "f32", "--epochs", 1, "--if-exists", "overwrite", "--method", "multitask-prompt-tuning",
                "--adapter-setting",
                "num_virtual_tokens=4", "--adapter-setting");
        CommandRun.succeeding(with(words, "num_tasks=3"));
        List<JsonNode> scores = CommandRun.succeeding("score", "--model", MODEL, "--adapter", folder.resolve("out"),
                "--data", rows, "--dtype", "f32", "--json").json();
        assertEquals(scores.get(1), scores.get(3));
        assertEquals(3, scores.stream().distinct().count());
        String err = CommandRun.failing(1, with(words, "num_tasks=2"));
        assertTrue(err.contains("tasks.jsonl, line 3) has the task_id 2") && err.contains("num_tasks is 2"), err);
    }

    private static Object[] with(List<Object> words, Object last) {
        List<Object> all = new ArrayList<>(words);
        all.add(last);
        return all.toArray();
    }

    @Test
    void aKeyThatTheMethodDoesNotHaveIsRefusedWithTheNearest() throws IOException {
        String err = CommandRun.failing(2, "train", "--model", MODEL, "--data", data(), "--output",
                folder.resolve("out"), "--adapter-setting", "use_dorra=true");
        assertTrue(err.contains("unknown key 'use_dorra'") && err.contains("'use_dora'"), err);
        Path config = Files.writeString(folder.resolve("config.json"),
                "{\"peft_type\": \"OFT\", \"oft_blok_size\": 4}");
        err = CommandRun.failing(1, "train", "--model", MODEL, "--data", data(), "--output", folder.resolve("out"),
                "--adapter-config", config);
        assertTrue(err.contains("config.json: unknown key 'oft_blok_size'") && err.contains("'oft_block_size'"),
                err);
        assertTrue(Files.notExists(folder.resolve("out").resolve("adapter_config.json")));
    }
}
