package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.QuestionAnswerer;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.data.task.LabelledText;
import io.peft4j.data.task.LabelledWords;
import io.peft4j.data.task.Labels;
import io.peft4j.data.task.SpanQuestion;
import io.peft4j.methods.PromptTuningConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.ClassificationObjective;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.QuestionAnsweringObjective;
import io.peft4j.train.objective.TokenClassificationObjective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every encoder with a head must do: a row is a folder of the fixtures, which Hugging Face's libraries made. */
class EncoderContractTest {
    /** Of the largest value. */
    private static final double F32 = 1e-5;
    /** Of a loss: rounding grows from step to step, since AdamW divides by the size of gradients. */
    private static final double TRAINED = 1e-4;

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

    @ParameterizedTest
    @MethodSource("models")
    void twelveStepsOfTrainingAreThoseOfPyTorchAndHuggingFacePeft(String name, @TempDir Path folder) {
        JsonNode training = expected(name).get("training");
        try (BaseModel base = load(name);
                PeftModel model = base.withAdapter(Fixtures.encoder(name).resolve("adapter"))) {
            TrainingResult result = train(model, expected(name), training);

            double[] losses = Fixtures.doubles(training.get("losses"));
            double[] norms = Fixtures.doubles(training.get("gradient_norms"));
            for (int i = 0; i < losses.length; i++) {
                assertEquals(losses[i], result.steps().get(i).trainLoss(), TRAINED * losses[i], "loss " + i);
                assertEquals(norms[i], result.steps().get(i).gradNorm(), 10 * TRAINED * norms[i], "norm " + i);
            }
            List<float[]> outputs = outputs(model, expected(name));
            boolean answers = model.network().task().type() == Task.Type.QUESTION_ANS;
            assertClose(answers ? centered(rows(training.get("trained"))) : rows(training.get("trained")),
                    answers ? centered(rows(outputs)) : rows(outputs), 10 * TRAINED);
            Fixtures.keep(model, "encoders/" + name, rows(outputs));
            model.saveAdapter(folder);
            try (PeftModel again = base.withAdapter(folder)) {
                assertEquals(text(outputs), text(outputs(again, expected(name))), "saved and loaded");
            }
        }
    }

    /** Transformers 5 writes its own keys, and has the other ones' values as its defaults. */
    @Test
    void theKeysOfNomicsOwnCodeAreRead(@TempDir Path folder) throws IOException {
        Path source = Fixtures.encoder("nomic-seq-cls");
        for (String file : List.of("model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(source.resolve(file), folder.resolve(file));
        }
        String config = Files.readString(source.resolve("config.json"));
        Map<String, String> keys = Map.of("\"hidden_size\"", "\"n_embd\"", "\"num_hidden_layers\"", "\"n_layer\"",
                "\"num_attention_heads\"", "\"n_head\"", "\"intermediate_size\"", "\"n_inner\"",
                "\"max_position_embeddings\"", "\"n_positions\"", "\"layer_norm_eps\"", "\"layer_norm_epsilon\"",
                "\"rope_parameters\"", "\"unused\"");
        for (Map.Entry<String, String> key : keys.entrySet()) {
            config = config.replace(key.getKey(), key.getValue());
        }
        Files.writeString(folder.resolve("config.json"), config);
        try (BaseModel model = BaseModel.load(folder.toString(),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32))) {
            assertEquals(48, model.network().description().maxPositions());
            assertClose(expected("nomic-seq-cls").get("logits_in_double"), outputs(model, expected("nomic-seq-cls")),
                    F32);
        }
    }

    /** As the field marks words that nothing is known of. */
    @Test
    void aWordWithTheLabelMinus100IsNotLearnedAndIsNoLabel() {
        LabelledWords row = new LabelledWords(List.of("Ada", "lived", "London"), List.of("B-PER", "-100", "B-LOC"));
        assertEquals(List.of("B-LOC", "B-PER"), Labels.ofWords(List.of(row)).labels());
        assertEquals(List.of("Ada", "London"), row.labelled(row.words()));
        try (BaseModel model = load("bert-token-cls")) {
            EncodedExample learned = new TokenClassificationObjective(model).encode(row).get(0);
            assertEquals(2, learned.supervised());
            assertEquals(2, IntStream.range(0, learned.targets().length).filter(i -> learned.targets()[i] >= 0)
                    .count());
        }
    }

    @Test
    void entitiesOfATextAreThoseOfItsWords() {
        try (BaseModel model = load("privacy-filter")) {
            TokenTagger tagger = new TokenTagger(model);
            int found = 0;
            for (JsonNode row : expected("privacy-filter").get("rows")) {
                List<String> words = Fixtures.stream(row.get("tokens")).map(JsonNode::asText).toList();
                if (row.get("input_ids").size() != words.size() + 2) {
                    continue; // A word of several tokens has a label for each.
                }
                String text = String.join(" ", words);
                List<String> wanted = tagger.entities(words).stream().map(span -> span.type() + " " + String.join(" ",
                        words.subList(span.first(), span.end()))).toList();
                assertEquals(wanted, tagger.places(text).stream().map(place -> place.type() + " " + text.substring(
                        place.start(), place.end())).toList());
                found += wanted.size();
            }
            assertTrue(found > 2, found + " entities");
            String longer = "Ada Lovelace lived in London ".repeat(200);
            List<TokenTagger.Place> places = tagger.places(longer);
            assertTrue(places.get(places.size() - 1).end() > longer.length() - 60, places.toString());
        }
    }

    @Test
    void virtualTokensAreRefusedBeforeThereIsAnAdapter() {
        try (BaseModel base = load(models().get(0))) {
            String message = assertThrows(ConfigurationException.class, () -> base.withAdapter(
                    PromptTuningConfig.builder().virtualTokens(4).build())).getMessage();
            assertTrue(message.contains("would share virtual tokens"), message);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void aMergedModelGivesWhatBaseAndAdapterGive(String name) {
        try (BaseModel base = load(name);
                PeftModel model = base.withAdapter(Fixtures.encoder(name).resolve("adapter"))) {
            model.merge();

            assertClose(expected(name).get("training").get("adapted"), outputs(model, expected(name)), F32);
        }
    }

    private static TrainingResult train(PeftModel model, JsonNode expected, JsonNode training) {
        Trainer trainer = Trainer.builder(model).epochs(6).batchSize(training.get("batch_size").asInt())
                .learningRate(training.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT)
                .weightDecay(0).maxGradNorm(1).shuffle(false).build();
        List<JsonNode> rows = Fixtures.stream(expected.get("rows")).toList();
        return switch (model.network().task().type()) {
            case SEQ_CLS -> trainer.train(new ClassificationObjective(model),
                    rows.stream().map(
                            row -> new LabelledText(row.get("text").asText(), Optional.ofNullable(row.get("text_pair"))
                                    .map(JsonNode::asText), texts(row.get("label"))))
                            .toList());
            case TOKEN_CLS -> trainer.train(new TokenClassificationObjective(model), rows.stream()
                    .map(row -> new LabelledWords(texts(row.get("tokens")), texts(row.get("labels")))).toList());
            default -> trainer.train(new QuestionAnsweringObjective(model, TextEncoder.of(model), 1),
                    rows.stream().map(row -> new SpanQuestion(row.get("question").asText(),
                            row.get("context").asText(), OptionalInt.of(row.get("start").asInt()),
                            row.get("answer").asText())).toList());
        };
    }

    private static List<String> texts(JsonNode node) {
        return node.isArray() ? Fixtures.stream(node).map(JsonNode::asText).toList() : List.of(node.asText());
    }

    private static String text(List<float[]> rows) {
        return rows.stream().map(Arrays::toString).toList().toString();
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
        assertClose(rows(expected), rows(found), tolerance);
    }

    private static void assertClose(List<double[]> expected, List<double[]> found, double tolerance) {
        double largest = expected.stream().flatMapToDouble(Arrays::stream).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), found.get(i), tolerance * largest, "row " + i);
        }
    }

    private static List<double[]> rows(JsonNode rows) {
        return Fixtures.stream(rows).map(Fixtures::doubles).toList();
    }

    private static List<double[]> rows(List<float[]> rows) {
        return rows.stream().map(io.peft4j.core.array.Arrays::doubles).toList();
    }

    /**
     * Pairs of logits less the mean of each over the sequence. The loss of an answer does not depend on it, so that the
     * gradient of the head's bias is rounding alone, which AdamW scales up to full steps.
     */
    private static List<double[]> centered(List<double[]> rows) {
        return rows.stream().map(row -> IntStream.range(0, row.length).mapToDouble(i -> row[i]
                - IntStream.range(0, row.length / 2).mapToDouble(t -> row[2 * t + i % 2]).average().orElseThrow())
                .toArray()).toList();
    }
}
