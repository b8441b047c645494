package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import io.peft4j.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens that a base model does not have: rows for them, training, saving and loading again. */
class NewTokensTest {
    private static final ModelOptions PLAIN = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
    private static final String TEXT = "the <ticket> is open<done>";

    @TempDir
    private Path folder;

    private static BaseModel load(String name, ModelOptions options) {
        return BaseModel.load(Fixtures.FOLDER.resolve(name).toString(), options);
    }

    /** Two new tokens, behind as many as the checkpoint has rows to spare for. */
    private static ModelOptions wider(String name) {
        try (BaseModel plain = load(name, PLAIN)) {
            int spare = plain.network().description().vocabularySize() - plain.tokenizer().vocabSize();
            return PLAIN.withNewTokens(Stream.concat(IntStream.range(0, spare).mapToObj(i -> "<spare" + i + ">"),
                    Stream.of("<ticket>", "<done>")).toArray(String[]::new));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama", "tiny-llama-untied"})
    void aNewTokenBeginsAsTheMeanOfAllOthers(String name) {
        try (BaseModel plain = load(name, PLAIN); BaseModel wider = load(name, wider(name))) {
            int before = plain.network().description().vocabularySize();
            assertEquals(before + 2, wider.network().description().vocabularySize());
            int[] ids = wider.tokenizer().encode("a<ticket>b<done>");
            assertEquals(before, ids[1]);
            assertEquals(before + 1, ids[3]);
            assertEquals("a<ticket>b<done>", wider.tokenizer().decode(ids, true));
            int[] text = plain.tokenizer().encode("the keeper writes");
            float[] expected = Measure.logits(plain, text, 2);
            float[] actual = Measure.logits(wider, text, 2);
            double mean = 0;
            for (int i = 0; i < before; i++) {
                assertEquals(expected[i], actual[i]);
                mean += expected[i] / before;
            }
            assertEquals(mean, actual[before], 1e-5);
            assertEquals(actual[before], actual[before + 1]);
        }
    }

    @Test
    void rowsToSpareAreTakenFirst() {
        try (BaseModel plain = load("tiny-llama-untied", PLAIN);
                BaseModel one = load("tiny-llama-untied", PLAIN.withNewTokens("<ticket>"))) {
            assertTrue(plain.tokenizer().vocabSize() < plain.network().description().vocabularySize());
            assertEquals(plain.network().description().vocabularySize(),
                    one.network().description().vocabularySize());
            assertArrayEquals(new int[] {plain.tokenizer().vocabSize()}, one.tokenizer().encode("<ticket>"));
        }
    }

    @Test
    void tokensThatAreThereStayAsTheyAre() {
        try (BaseModel plain = load("tiny-llama", PLAIN)) {
            String there = plain.tokenizer().idToToken(plain.tokenizer().eosId().orElseThrow()).orElseThrow();
            try (BaseModel same = load("tiny-llama", PLAIN.withNewTokens(there))) {
                assertEquals(plain.network().description().vocabularySize(),
                        same.network().description().vocabularySize());
                assertEquals(plain.tokenizer().eosId(), same.tokenizer().eosId());
                assertTrue(same.tokenizer().isSpecial(same.tokenizer().eosId().orElseThrow()));
            }
        }
        assertThrows(ConfigurationException.class, () -> PLAIN.withNewTokens("a", ""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama", "tiny-llama-untied"})
    void theirRowsAreTrainedAndSavedWithTheAdapter(String name) {
        double[] trained;
        List<TokenSequence> texts;
        try (BaseModel base = load(name, wider(name))) {
            int first = base.network().description().vocabularySize() - 2;
            texts = List.of(TokenSequence.allSupervised(base.tokenizer().encode(TEXT)));
            double[] before = Measure.oneByOne(base, texts);
            try (PeftModel model = base.withAdapter(LoraConfig.builder().rank(2).trainableTokens(first, first + 1)
                    .build())) {
                Trainer.builder(model).epochs(8).batchSize(8).learningRate(0.05).build().train(texts);
                trained = Measure.oneByOne(model, texts);
                assertTrue(trained[0] < 0.8 * before[0], trained[0] + " after " + before[0]);
                model.saveAdapter(folder.resolve("adapter"));
                ModelExport.of(model).toFolder(folder.resolve("merged"));
                ModelExport.of(model).toGguf(folder.resolve("merged.gguf"));
            }
            assertArrayEquals(before, Measure.oneByOne(base, texts));
        }
        try (BaseModel base = load(name, wider(name)); PeftModel again = base.withAdapter(folder.resolve("adapter"))) {
            assertArrayEquals(trained, Measure.oneByOne(again, texts));
        }
        for (String merged : List.of("merged", "merged.gguf")) {
            try (BaseModel model = BaseModel.load(folder.resolve(merged).toString(), PLAIN)) {
                assertArrayEquals(texts.get(0).ids(), model.tokenizer().encode(TEXT));
                Measure.assertClose(trained, Measure.oneByOne(model, texts), merged);
            }
        }
        try (BaseModel base = load(name, PLAIN)) {
            assertNotEquals(texts.get(0).ids().length, base.tokenizer().encode(TEXT).length);
            String message = assertThrows(ConfigurationException.class,
                    () -> base.withAdapter(folder.resolve("adapter"))).getMessage();
            assertTrue(message.contains("withNewTokens"), message);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"saved", "untied", "modules"})
    void anAdapterOfPeftOnAResizedBaseBringsItsTokensAndTheirRows(String name) {
        JsonNode expected = Fixtures.json("resized/expected.json").get(name);
        Path adapter = Fixtures.FOLDER.resolve("resized").resolve(name);
        String base = expected.get("base").asText();
        try (BaseModel wider = load(base, PLAIN.withTokensOf(adapter)); PeftModel model = wider.withAdapter(adapter)) {
            int[] ids = model.tokenizer().encode(TEXT);
            assertArrayEquals(Fixtures.ids(expected.get("ids")), ids);
            double nll = expected.get("nll").asDouble();
            assertEquals(nll, Measure.oneByOne(model, List.of(TokenSequence.allSupervised(ids)))[0], 1e-5 * nll);
        }
        try (BaseModel plain = load(base, PLAIN)) {
            String message = assertThrows(PeftException.class, () -> plain.withAdapter(adapter)).getMessage();
            assertTrue(message.contains("394") || message.contains("386"), message);
            assertTrue(name.equals("modules") || message.contains("ModelOptions.withTokensOf"), message);
        }
    }

    @Test
    void anAdapterWithoutItsTokenizerSaysThatItIsMissing() {
        String message = assertThrows(ConfigurationException.class, () -> load("tiny-llama",
                PLAIN.withTokensOf(folder)).close()).getMessage();
        assertTrue(message.contains("holds no tokenizer.json"), message);
    }
}
