package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The figures that machines read are there and hang together; how fast it is, no test says. */
class BenchCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama");

    @TempDir
    Path folder;

    private static JsonNode figures(Object... words) {
        List<JsonNode> lines = CommandRun.succeeding(words).json();
        assertEquals(1, lines.size());
        return lines.get(0);
    }

    private static Set<String> keys(JsonNode line) {
        Set<String> names = new TreeSet<>();
        line.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static Set<String> linuxOnly(Set<String> names) {
        Set<String> all = new TreeSet<>(names);
        if (Files.isReadable(Path.of("/proc/self/status"))) {
            all.add("peak_rss_mb");
        }
        return all;
    }

    @Test
    void trainingIsMeasuredOnRandomTokens() {
        JsonNode line = figures("bench", "train", "--model", MODEL, "--shape", "3x16", "--steps", 2, "--warmup", 1,
                "--dtype", "f32", "--threads", 1, "--rank", 4, "--json");
        assertEquals(linuxOnly(Set.of("tokens_per_s", "examples_per_s", "step_ms", "first_step_s", "loss", "dtype",
                "matmul_gflops", "share_of_limit", "allocated_bytes_per_step", "kernels", "threads")), keys(line));
        // Sixteen tokens an example; only rounding is between the two.
        assertEquals(16, line.get("tokens_per_s").asDouble() / line.get("examples_per_s").asDouble(), 1e-9);
        assertEquals("f32", line.get("dtype").asText());
        assertEquals(1, line.get("threads").asInt());
        assertTrue(line.get("first_step_s").asDouble() > line.get("step_ms").asDouble() / 1e3, line.toString());
    }

    /** The second of two batches is half as large as the first. */
    @Test
    void trainingIsMeasuredOnData() throws IOException {
        String row = "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}, "
                + "{\"role\": \"assistant\", \"content\": \"The keeper.\"}]}";
        Path data = Files.write(folder.resolve("data.jsonl"), List.of(row, row, row));
        JsonNode line = figures("bench", "train", "--model", MODEL, "--data", data, "--batch-size", 2, "--warmup", 1,
                "--recompute", "--json");
        assertTrue(line.get("tokens_per_s").asDouble() > line.get("examples_per_s").asDouble(), line.toString());
        CommandRun shown = CommandRun.succeeding("bench", "train", "--model", MODEL, "--data", data, "--steps", 1);
        assertTrue(shown.out().contains("examples/s") && shown.out().contains("of the limit of matrix products"),
                shown.out());
        assertTrue(shown.err().contains("trainable params:"), shown.err());
    }

    @Test
    void generationIsMeasured() {
        JsonNode line = figures("bench", "generate", "--model", MODEL, "--shape", "2x9", "--max-new-tokens", 12,
                "--steps", 1, "--json");
        assertEquals(linuxOnly(Set.of("tokens_per_s", "examples_per_s", "seconds", "prompts", "new_tokens",
                "first_token_ms", "weight_bytes", "memory_gb_per_s", "decode_steps_per_s", "share_of_bandwidth",
                "dtype", "kernels", "threads")), keys(line));
        assertEquals(2, line.get("prompts").asInt());
        assertEquals(line.get("decode_steps_per_s").asDouble() * line.get("weight_bytes").asLong() / 1e9,
                line.get("share_of_bandwidth").asDouble() * line.get("memory_gb_per_s").asDouble(), 1e-9);
        CommandRun shown = CommandRun.succeeding("bench", "generate", "--model", MODEL, "--prompt", "Who?",
                "--steps", 1, "--max-new-tokens", 4, "--adapter", FIXTURES.resolve("adapters/default-targets"));
        assertTrue(shown.out().contains("for 1 prompt") && shown.out().contains("GB/s"), shown.out());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bench | Missing command: train or generate",
        "bench train --shape 4x0 | is not a shape",
        "bench train --shape 4 | is not a shape",
        "bench train --batch-size 3 | for random tokens",
        "bench train --data a.jsonl --shape 2x8 | for random tokens",
        "bench train --steps 0 | at least 1",
        "bench generate --steps 0 | at least 1",
        "bench generate --max-new-tokens 0 | at least 1",
        "bench generate --prompt a --shape 2x8 | mutually exclusive",
    })
    void wrongUsageIsReported(String words, String part) {
        String all = words.equals("bench") ? words : words + " --model " + MODEL;
        String said = CommandRun.failing(2, (Object[]) all.split(" "));
        assertTrue(said.contains(part), said);
    }
}
