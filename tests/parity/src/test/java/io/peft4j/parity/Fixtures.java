package io.peft4j.parity;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** The reference numbers that Hugging Face computed. Their README says what each file holds. */
final class Fixtures {
    static final Path FOLDER = Path.of("../../tests/fixtures");
    static final List<String> MODELS = List.of("tiny-llama", "tiny-llama-untied", "tiny-llama-sharded",
            "tiny-llama-bf16");
    private static final ObjectMapper JSON = new ObjectMapper();

    private Fixtures() {
    }

    static JsonNode json(String path) {
        return json(FOLDER.resolve(path));
    }

    static JsonNode json(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /** Names of the adapters, each a folder. */
    static List<String> adapters() {
        return folders("adapters");
    }

    /** Names of the adapters of other methods, each a folder. */
    static List<String> methods() {
        return folders("methods");
    }

    /** Names of beginnings that are computed from data, each a folder. */
    static List<String> starts() {
        return folders("starts");
    }

    /** The examples of the training runs. */
    static List<TokenSequence> examples() {
        return stream(json("training/examples.json").get("examples")).map(Fixtures::supervised).toList();
    }

    /**
     * Keeps an adapter with the numbers that its model gave below {@code target/saved-heads}, where
     * {@code check_heads.py} loads it in Hugging Face PEFT.
     */
    static void keep(PeftModel model, String name, List<double[]> numbers) {
        Path folder = Path.of("target", "saved-heads").resolve(name);
        model.saveAdapter(folder);
        try {
            JSON.writeValue(folder.resolve("peft4j_numbers.json").toFile(), numbers);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to " + folder, e);
        }
    }

    /** Names of the encoders with the head of a task, each a folder. */
    static List<String> encoders() {
        return folders("encoders");
    }

    static Path encoder(String name) {
        return FOLDER.resolve("encoders").resolve(name);
    }

    static List<String> folders(String kind) {
        try (Stream<Path> entries = Files.list(FOLDER.resolve(kind))) {
            return entries.filter(Files::isDirectory).map(p -> p.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list the " + kind + " of the fixtures", e);
        }
    }

    /**
     * The fixtures of a folder; without those that repeat a claim, where a build leaves these out, only the first of
     * each value that the file of settings has at the key.
     */
    static Stream<String> oneOfEach(String kind, Stream<String> names, String file, String key) {
        Set<String> seen = new HashSet<>();
        return names.filter(name -> KernelsUnderTest.FULL
                || seen.add(json(FOLDER.resolve(kind).resolve(name).resolve(file)).path(key).asText()));
    }

    /** Adapters of methods, those that stand for a method's claims first and alone as {@link #oneOfEach} says. */
    static Stream<String> oneOfEachMethod() {
        return oneOfEach("methods", methods().stream(), "adapter_config.json", "peft_type");
    }

    /** Models of families, as {@link #oneOfEach} says. */
    static Stream<String> oneOfEachFamily() {
        return oneOfEach("families", folders("families").stream(), "config.json", "model_type");
    }

    static Path adapter(String name) {
        return FOLDER.resolve("adapters").resolve(name);
    }

    static Path method(String name) {
        return FOLDER.resolve("methods").resolve(name);
    }

    /** The texts of a model as sequences of which every token after the first counts. */
    static List<TokenSequence> texts(String model) {
        List<TokenSequence> texts = new ArrayList<>();
        json(model + "/expected.json").get("texts")
                .forEach(row -> texts.add(TokenSequence.allSupervised(ids(row.get("input_ids")))));
        return texts;
    }

    /** The chats of a model as sequences of which the supervised tokens count. */
    static List<TokenSequence> chats(String model) {
        List<TokenSequence> chats = new ArrayList<>();
        json(model + "/expected.json").get("chats").forEach(row -> chats.add(supervised(row)));
        return chats;
    }

    /** A sequence from a row with {@code input_ids} and the positions {@code supervised}. */
    static TokenSequence supervised(JsonNode row) {
        int[] ids = ids(row.get("input_ids"));
        float[] weights = new float[ids.length];
        for (int position : ids(row.get("supervised"))) {
            weights[position] = 1;
        }
        return new TokenSequence(ids, weights);
    }

    static List<ChatMessage> messages(JsonNode messages) {
        return stream(messages).map(m -> new ChatMessage(m.get("role").asText(), m.get("content").asText())).toList();
    }

    static int[] ids(JsonNode array) {
        return stream(array).mapToInt(JsonNode::asInt).toArray();
    }

    static double[] doubles(JsonNode array) {
        return stream(array).mapToDouble(JsonNode::asDouble).toArray();
    }

    static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
