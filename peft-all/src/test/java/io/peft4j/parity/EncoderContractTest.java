package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.Model;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.QuestionAnswerer;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.models.BaseModel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every encoder with a head must do: a row is a folder of the fixtures, which Hugging Face's libraries made. */
class EncoderContractTest {
    /** Of the largest value. */
    private static final double F32 = 1e-5;

    static List<String> models() {
        return Fixtures.encoders();
    }

    @ParameterizedTest
    @MethodSource("models")
    void theSequencesAreThoseOfTheTokenizerInPython(String name) {
        try (BaseModel model = load(name)) {
            List<TokenSequence> sequences = sequences(model, expected(name));
            JsonNode rows = expected(name).get("rows");
            for (int i = 0; i < rows.size(); i++) {
                assertArrayEquals(Fixtures.ids(rows.get(i).get("input_ids")), sequences.get(i).ids(), "row " + i);
                int[] types = sequences.get(i).types();
                assertArrayEquals(Fixtures.ids(rows.get(i).get("token_type_ids")),
                        types.length == 0 ? new int[sequences.get(i).length()] : types, "types of row " + i);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void theOutputsAreThoseOfTransformers(String name) {
        JsonNode expected = expected(name);
        try (BaseModel model = load(name)) {
            assertEquals(expected.get("parameters").asLong(), model.network().description().parameters());
            assertClose(expected.get("logits_in_double"), outputs(model, expected), F32);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void anAdapterWithItsHeadGivesWhatItGivesInHuggingFacePeft(String name) {
        JsonNode expected = expected(name);
        try (BaseModel base = load(name);
                PeftModel model = base.withAdapter(Fixtures.encoder(name).resolve("adapter"))) {
            assertEquals(expected.get("training").get("trainable").asLong(), model.trainableParameterCount());
            assertClose(expected.get("training").get("adapted"), outputs(model, expected), F32);
        }
    }

    private static BaseModel load(String name) {
        return KernelsUnderTest.naive("encoders/" + name);
    }

    private static JsonNode expected(String name) {
        return Fixtures.json("encoders/" + name + "/expected.json");
    }

    private static List<TokenSequence> sequences(Model model, JsonNode expected) {
        TextEncoder encoder = TextEncoder.of(model);
        return Fixtures.stream(expected.get("rows")).map(row -> {
            if (row.has("tokens")) {
                return encoder.words(Fixtures.stream(row.get("tokens")).map(JsonNode::asText).toList()).sequence();
            }
            if (row.has("question")) {
                return encoder.windows(row.get("question").asText(), row.get("context").asText(), 1).get(0).sequence();
            }
            return row.has("text_pair") ? encoder.pair(row.get("text").asText(), row.get("text_pair").asText())
                    : encoder.text(row.get("text").asText());
        }).toList();
    }

    private static List<float[]> outputs(Model model, JsonNode expected) {
        List<TokenSequence> sequences = sequences(model, expected);
        return switch (model.network().task().type()) {
            case SEQ_CLS -> new TextClassifier(model).logitsOf(sequences);
            case TOKEN_CLS -> new TokenTagger(model).logitsOf(sequences);
            default -> new QuestionAnswerer(model).logitsOf(sequences);
        };
    }

    private static void assertClose(JsonNode expected, List<float[]> found, double tolerance) {
        List<double[]> rows = new ArrayList<>();
        expected.forEach(row -> rows.add(Fixtures.doubles(row)));
        double largest = rows.stream().flatMapToDouble(java.util.Arrays::stream).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < rows.size(); i++) {
            assertArrayEquals(rows.get(i), io.peft4j.core.array.Arrays.doubles(found.get(i)), tolerance * largest,
                    "row " + i);
        }
    }
}
