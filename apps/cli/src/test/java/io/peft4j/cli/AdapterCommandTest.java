package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The adapter commands write what the library does; numbers are Hugging Face's. */
class AdapterCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama");
    private static final Path LORA = FIXTURES.resolve("adapters/lora");

    @TempDir
    private Path folder;

    private List<JsonNode> scores(Path model, Object... more) throws IOException {
        JsonNode texts = CommandRun.read(MODEL.resolve("expected.json")).get("texts");
        StringBuilder rows = new StringBuilder();
        texts.forEach(text -> rows.append("{\"input_ids\":").append(text.get("input_ids")).append("}\n"));
        Path data = Files.writeString(folder.resolve("data.jsonl"), rows);
        Object[] arguments = {"score", "--model", model, "--data", data, "--dtype", "f32", "--json"};
        Object[] all = java.util.stream.Stream.concat(java.util.Arrays.stream(arguments),
                java.util.Arrays.stream(more)).toArray();
        return CommandRun.succeeding(all).json();
    }

    private static void assertNll(JsonNode expected, List<JsonNode> scores) {
        for (int i = 0; i < scores.size(); i++) {
            double nll = expected.get(i).asDouble();
            // What the project promises for f32.
            assertEquals(nll, scores.get(i).get("nll").asDouble(), 1e-5 * nll);
        }
    }

    @Test
    void mergedModelsScoreAsHuggingFaces() throws IOException {
        JsonNode expected = CommandRun.read(LORA.resolve("expected.json")).get("merged_nll");
        for (String name : List.of("merged", "merged.gguf")) {
            Path output = folder.resolve(name);
            JsonNode report = CommandRun.succeeding("adapter", "merge", "--model", MODEL, "--adapter", LORA,
                    "--output", output, "--json").json().get(0);
            assertTrue(report.get("relative_difference").asDouble() < 1e-5, report.toString());
            assertNll(expected, scores(output));
            assertTrue(CommandRun.failing(1, "adapter", "merge", "--model", MODEL, "--output", output)
                    .contains(output + " exists already"));
        }
        JsonNode report = CommandRun.succeeding("adapter", "merge", "--model", MODEL, "--output",
                folder.resolve("merged.gguf"), "--if-exists", "next", "--json").json().get(0);
        assertEquals(folder.resolve("merged-2.gguf").toString(), report.get("output").asText());
    }

    @Test
    void signedAdaptersAreVerified() throws Exception {
        Path adapter = Files.createDirectory(folder.resolve("signed"));
        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(LORA.resolve(file), adapter.resolve(file));
        }
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Base64.Encoder base64 = Base64.getMimeEncoder();
        Path key = Files.writeString(folder.resolve("K.pem"), "-----BEGIN PRIVATE KEY-----\n"
                + base64.encodeToString(pair.getPrivate().getEncoded()) + "\n-----END PRIVATE KEY-----\n");
        Path trusted = Files.writeString(folder.resolve("K.pub"), "-----BEGIN PUBLIC KEY-----\n"
                + base64.encodeToString(pair.getPublic().getEncoded()) + "\n-----END PUBLIC KEY-----\n");
        assertTrue(CommandRun.failing(1, "adapter", "verify", adapter, "--key", trusted).contains("is not signed"));
        assertTrue(CommandRun.failing(1, "serve", "--model", MODEL, "--port", "0", "--data", folder.resolve("data"),
                "--adapter", "hr=" + adapter, "--trusted-key", trusted).contains("is not signed"));
        assertEquals(2, CommandRun.succeeding("adapter", "sign", adapter, "--key", key, "--json").json().get(0)
                .get("signed_files").asInt());
        CommandRun.succeeding("adapter", "verify", adapter, "--key", trusted);
        Files.writeString(adapter.resolve("adapter_config.json"), " ", StandardOpenOption.APPEND);
        assertTrue(CommandRun.failing(1, "adapter", "verify", adapter, "--key", trusted)
                .contains("'adapter_config.json' is not what was signed"));
    }

    @Test
    void infoNamesTheWeightsThatAFolderLacks() throws IOException {
        Files.copy(LORA.resolve("adapter_config.json"), folder.resolve("adapter_config.json"));
        String message = CommandRun.failing(1, "adapter", "info", folder);
        assertTrue(message.contains(folder + ": has adapter_config.json and no adapter_model.safetensors"), message);
    }

    @Test
    void infoDescribesTheAdapterAndWhoCanLoadIt() throws IOException {
        JsonNode info = CommandRun.succeeding("adapter", "info", LORA, "--model", MODEL, "--json").json().get(0);
        assertEquals("lora", info.get("method").asText());
        assertEquals(21, info.get("adapted_layers").asInt());
        assertEquals(42, info.get("tensors").asInt());
        assertEquals(CommandRun.read(LORA.resolve("expected.json")).get("trainable_parameters").asLong(),
                info.get("trainable_parameters").asLong());
        assertTrue(info.get("obstacles").get("vLLM").isEmpty(), info.toString());
        CommandRun plain = CommandRun.succeeding("adapter", "info", LORA);
        assertTrue(plain.out().contains("method"), plain.out());
    }

    @Test
    void aTrainedAdapterIsComparedWithItsPassport() throws IOException {
        Path data = Files.writeString(folder.resolve("train.jsonl"),
                "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, "
                        + "{\"role\": \"assistant\", \"content\": \"Hello there\"}]}\n");
        Path output = folder.resolve("trained");
        CommandRun.succeeding("train", "--model", MODEL, "--data", data, "--output", output, "--epochs", "2",
                "--learning-rate", "0.01");
        JsonNode info = CommandRun.succeeding("adapter", "info", output, "--model", MODEL, "--json").json().get(0);
        assertEquals(0, info.get("mismatches").size(), info.toString());
        assertEquals("2", info.get("training").get("epochs").asText());
        Path weights = output.resolve("adapter_model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        for (int i = bytes.length - 2000; i < bytes.length; i += 4) {
            // The exponent of a float: values a few powers of two larger.
            bytes[i + 3] = (byte) (bytes[i + 3] | 2);
        }
        Files.write(weights, bytes);
        JsonNode changed = CommandRun.succeeding("adapter", "info", output, "--model", MODEL, "--json").json().get(0);
        assertTrue(changed.get("mismatches").toString().contains("negative log-likelihood"), changed.toString());
    }

    @Test
    void combineAndConvertWriteAdapterFolders() throws IOException {
        Path combined = folder.resolve("combined");
        CommandRun.succeeding("adapter", "combine", "--model", MODEL, "--adapter", LORA, "--weight", "0.5",
                "--adapter", LORA, "--weight", "0.5", "--type", "cat", "--output", combined);
        JsonNode expected = CommandRun.read(LORA.resolve("expected.json")).get("nll");
        assertNll(expected, scores(MODEL, "--adapter", combined));
        assertEquals(8, CommandRun.read(combined.resolve("adapter_config.json")).get("r").asInt());
        Path converted = folder.resolve("converted");
        JsonNode report = CommandRun.succeeding("adapter", "convert", "--model", MODEL, "--adapter", combined,
                "--rank", "4", "--output", converted, "--json").json().get(0);
        assertTrue(report.get("relative_error").asDouble() < 1e-5, report.toString());
        assertNll(expected, scores(MODEL, "--adapter", converted));
        Path gguf = folder.resolve("adapter.gguf");
        CommandRun.succeeding("adapter", "convert", "--model", MODEL, "--adapter", LORA, "--output", gguf);
        assertTrue(Files.size(gguf) > 1000);
        Object[] back = {"adapter", "convert", "--model", MODEL, "--adapter", gguf, "--output", converted};
        assertTrue(CommandRun.failing(1, back).contains("--if-exists overwrite replaces it"));
        CommandRun.succeeding(Stream.concat(Stream.of(back), Stream.of("--if-exists", "overwrite")).toArray());
        assertEquals(CommandRun.read(LORA.resolve("adapter_config.json")).get("r"),
                CommandRun.read(converted.resolve("adapter_config.json")).get("r"), "replaced");
    }

    @ParameterizedTest
    @CsvSource({"mlx, mlx, x.gguf, --to mlx writes a folder", "onnx, lora.onnx_adapter, x, must end with .onnx_adapter",
        "ggml, , x, it must be mlx or onnx"})
    void anAdapterGoesToAnotherProgramAndBack(String form, String name, String wrong, String said) throws IOException {
        assertTrue(CommandRun.failing(2, "adapter", "convert", "--model", MODEL, "--adapter", LORA, "--to", form,
                "--output", folder.resolve(wrong)).contains(said));
        if (name != null) {
            Path other = folder.resolve(name);
            CommandRun.succeeding("adapter", "convert", "--model", MODEL, "--adapter", LORA, "--to", form, "--output",
                    other);
            Path back = folder.resolve("back");
            CommandRun.succeeding("adapter", "convert", "--model", MODEL, "--adapter", other, "--output", back);
            assertNll(CommandRun.read(LORA.resolve("expected.json")).get("nll"), scores(MODEL, "--adapter", back));
        }
    }

    @Test
    void anAdapterIsScaledByANumberThatIsGivenOrFound() throws IOException {
        Path half = folder.resolve("half");
        CommandRun.succeeding("adapter", "scale", "--model", MODEL, "--adapter", LORA, "--scale", 0.5, "--output", half,
                "--dtype", "f32");
        Path whole = folder.resolve("whole");
        CommandRun.succeeding("adapter", "combine", "--model", MODEL, "--adapter", half, "--weight", "2", "--type",
                "cat", "--output", whole);
        assertNll(CommandRun.read(LORA.resolve("expected.json")).get("nll"), scores(MODEL, "--adapter", whole));

        // Of a model in which the opposite was merged the adapter loses what that one has won.
        Path negated = folder.resolve("negated");
        CommandRun.succeeding("adapter", "combine", "--model", MODEL, "--adapter", LORA, "--weight=-1", "--type", "cat",
                "--output", negated);
        Path opposite = folder.resolve("opposite");
        CommandRun.succeeding("adapter", "merge", "--model", MODEL, "--adapter", negated, "--output", opposite);
        List<JsonNode> lines = CommandRun.succeeding("adapter", "scale", "--model", opposite, "--adapter", LORA,
                "--find", "--allow-loss", 100, "--output", folder.resolve("found"), "--dtype", "f32", "--json").json();
        assertEquals(2, lines.size(), "the first that is tried is the largest: " + lines);
        assertTrue(lines.get(0).get("whole").asBoolean());
        assertEquals(1, lines.get(1).get("scale").asDouble());
        double lost = 100 * (lines.get(0).get("guard_base").asDouble() - lines.get(0).get("guard").asDouble());
        assertTrue(lost > 0.1, "what was lost at the largest scale: " + lines);

        List<JsonNode> less = CommandRun.succeeding("adapter", "scale", "--model", opposite, "--adapter", LORA,
                "--find", "--allow-loss", lost - 0.1, "--output", folder.resolve("less"), "--dtype", "f32", "--json")
                .json();
        double largest = less.stream().filter(line -> line.path("whole").asBoolean())
                .mapToDouble(line -> line.get("scale").asDouble()).max().orElseThrow();
        assertFalse(less.get(0).get("whole").asBoolean(), "the largest scale: " + less);
        assertEquals(largest, less.get(less.size() - 1).get("scale").asDouble());
        assertTrue(less.stream().anyMatch(line -> line.has("whole") && !line.get("whole").asBoolean()
                && Math.abs(line.get("scale").asDouble() - largest) < 0.11), "the next one is too large: " + less);
    }

    @Test
    void wrongUsageIsReported() {
        assertEquals(2, CommandRun.of("adapter").status());
        assertEquals(2, CommandRun.of("adapter", "merge", "--model", MODEL, "--output", folder, "--type", "q3")
                .status());
        assertEquals(2, CommandRun.of("adapter", "combine", "--model", MODEL, "--adapter", LORA, "--type", "cut",
                "--output", folder).status());
        CommandRun refused = CommandRun.of("adapter", "convert", "--model", FIXTURES.resolve("tiny-llama-untied"),
                "--adapter", FIXTURES.resolve("adapters/lora-bias"), "--output", folder.resolve("a.gguf"));
        assertEquals(1, refused.status());
        assertTrue(refused.err().contains("lora_B.bias"), refused.err());
    }
}
