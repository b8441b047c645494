package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tuning is asked again when it has been written; one that is lost is not written. */
class ProofCommandTest {
    private static final Path MODEL = CommandRun.FIXTURES.resolve("tiny-llama");
    private static final Path ADAPTER = CommandRun.FIXTURES.resolve("adapters/lora");

    @TempDir
    private Path folder;
    private Path questions;

    /** Questions whose right answers are what the adapter answers. */
    @BeforeEach
    void ask() throws IOException {
        ask(MODEL);
    }

    private void ask(Path model) throws IOException {
        List<String> rows = new ArrayList<>();
        try (BaseModel base = BaseModel.load(model.toString(),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
                PeftModel tuned = base.withAdapter(ADAPTER)) {
            for (String question : List.of("Who?", "When is pay day?", "Where is it?", "What now?")) {
                rows.add(new ObjectMapper().writeValueAsString(Map.of("question", question, "regex",
                        Pattern.quote(tuned.generate(question).strip()), "reference", "It depends.")));
            }
        }
        questions = Files.write(folder.resolve("questions.jsonl"), rows);
    }

    private List<Object> words(String command, Path output, Object... more) {
        List<Object> words = new ArrayList<>(List.of("adapter", command, "--model", MODEL, "--adapter", ADAPTER,
                "--output", output, "--prove", questions));
        words.addAll(List.of(more));
        return words;
    }

    private JsonNode proof(List<Object> words) {
        words.add("--json");
        return CommandRun.succeeding(words.toArray()).json().get(0).get("proof");
    }

    @Test
    void whatKeepsTheAnswersIsWritten() {
        JsonNode merged = proof(words("merge", folder.resolve("merged")));
        JsonNode gguf = proof(words("convert", folder.resolve("lora.gguf")));
        JsonNode mlx = proof(words("convert", folder.resolve("mlx"), "--to", "mlx"));
        JsonNode onnx = proof(words("convert", folder.resolve("lora.onnx_adapter"), "--to", "onnx"));

        for (JsonNode proof : List.of(merged, gguf, mlx, onnx)) {
            assertEquals(4, proof.get("right_before").asInt(), proof.toString());
            assertEquals(4, proof.get("right_after").asInt(), proof.toString());
            assertEquals(0, proof.get("loss_points").asDouble());
            assertEquals(proof.get("loss_before").asDouble(), proof.get("loss_after").asDouble(), 1e-4,
                    "weights in f32, in another order of operations: " + proof);
        }
        assertTrue(Files.exists(folder.resolve("merged/config.json")) && Files.exists(folder.resolve("lora.gguf")));
    }

    @Test
    void whatLosesThemIsRefusedAndNotWritten() throws IOException {
        Path output = folder.resolve("lossy");
        String error = CommandRun.failing(1, words("convert", output, "--rank", 1).toArray());

        assertTrue(error.contains("the tuning does not survive: 4 of 4 (100 %) right before, ")
                && error.contains("and 2.0 points are accepted"), error);
        assertTrue(error.contains("of a higher rank: peft4j adapter convert --model " + MODEL + " --adapter " + ADAPTER
                + " --rank 2 --output " + output), error);
        assertFalse(Files.exists(output));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(questions), left.toList());
        }
        assertTrue(proof(words("convert", output, "--rank", 1, "--allow-loss", 100)).get("lost").asInt() > 0);
        assertTrue(Files.exists(output.resolve("adapter_config.json")));
    }

    /** Eight bits change what this model answers in 64 tokens. */
    @Test
    void aMergeThatLosesThemNamesTheWaysThatKeepMore() {
        Path output = folder.resolve("merged.gguf");
        String error = CommandRun.failing(1, words("merge", output, "--type", "q8_0", "--allow-loss", 0).toArray());

        assertTrue(error.contains("the tuning does not survive: 4 of 4 (100 %) right before, "), error);
        for (String way : List.of("beside its base:         peft4j adapter convert --model " + MODEL + " --adapter "
                + ADAPTER + " --output adapter.gguf",
                "on the weights to serve: peft4j train --model THE-QUANTIZED-"
                        + "BASE.gguf",
                "in more bits:            peft4j adapter merge --model " + MODEL)) {
            assertTrue(error.contains(way), error);
        }
        assertFalse(Files.exists(output));
    }

    /** The adapter beside the very base that was asked answers as before. */
    @Test
    void aFallbackWritesWhatKeepsThem() throws IOException {
        Path rounded = folder.resolve("rounded.gguf");
        CommandRun.succeeding("adapter", "merge", "--model", MODEL, "--type", "q4_0", "--output", rounded);
        ask(rounded);
        List<Object> words = words("merge", folder.resolve("my.gguf"), "--type", "q4_0", "--allow-loss", 0,
                "--fallback");
        words.set(3, rounded);
        CommandRun run = CommandRun.succeeding(words.toArray());

        assertTrue(run.err().contains("refused: merged: the tuning does not survive: 4 of 4 (100 %) right before, "),
                run.err());
        assertTrue(run.err().contains("kept by:  ") && run.err().contains("4 of 4 (100 %) after (0 questions lost"),
                run.err());
        assertTrue(Files.exists(folder.resolve("my.gguf")));
        for (List<Object> wrong : List.<List<Object>>of(List.of("--fallback", "--type", "f32"), List.of("--fallback",
                "--adapted-type", "q8_0"))) {
            List<Object> refused = words("merge", folder.resolve("folder"), wrong.toArray());
            assertTrue(CommandRun.failing(2, refused.toArray()).contains("--fallback writes GGUF files"));
        }
    }

    @Test
    void anAllowedLossWithoutAProofIsAnError() {
        String error = CommandRun.failing(2, "adapter", "merge", "--model", MODEL, "--output", folder.resolve("out"),
                "--allow-loss", 3);

        assertTrue(error.contains("--allow-loss has no effect without --prove"), error);
    }
}
