package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters that Hugging Face PEFT saved, against the numbers that it computed with them. */
@Tag("processor")
@ParameterizedClass
@MethodSource("io.peft4j.parity.KernelsUnderTest#all")
class AdapterParityTest {
    @Parameter
    KernelsUnderTest kernels;

    static Stream<String> adapters() {
        return Fixtures.adapters().stream();
    }

    static Stream<String> oneOfEachMethod() {
        return Fixtures.oneOfEach("adapters", adapters(), "adapter_config.json", "peft_type");
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void theAdaptedModel(String name) {
        JsonNode expected = Fixtures.json(Fixtures.adapter(name).resolve("expected.json"));
        String base = expected.get("model").asText();
        BaseModel model = kernels.shared(base);
        try (PeftModel adapted = PeftModel.load(model, Fixtures.adapter(name))) {
            assertEquals(expected.get("trainable_parameters").asLong(), adapted.trainableParameterCount());
            assertEquals(expected.get("all_parameters").asLong(), adapted.parameterCount());
            assertNumbers(adapted, base, expected);
        }
    }

    /** Without its adapters the model is the base, in every bit, and the adapter is there again afterwards. */
    @ParameterizedTest
    @MethodSource("oneOfEachMethod")
    void disabledAdaptersGiveTheBase(String name) {
        assertDisabledIsTheBase(kernels, Fixtures.adapter(name));
    }

    static void assertDisabledIsTheBase(KernelsUnderTest kernels, Path adapter) {
        String base = Fixtures.json(adapter.resolve("expected.json")).get("model").asText();
        List<TokenSequence> texts = Fixtures.texts(base);
        BaseModel model = kernels.shared(base);
        try (PeftModel adapted = PeftModel.load(model, adapter)) {
            double[] withAdapter = Measure.together(adapted, texts);
            // With layers repeated, the model below the adapter; else the base itself.
            double[] ofBase = Measure.together(adapted.base(), texts);
            try (PeftModel.Scope disabled = adapted.disable()) {
                assertArrayEquals(ofBase, Measure.together(adapted, texts));
            }
            assertArrayEquals(withAdapter, Measure.together(adapted, texts));
            assertTrue(IntStream.range(0, ofBase.length).anyMatch(i -> Math.abs(withAdapter[i] / ofBase[i] - 1) > 5e-3),
                    "an adapter that changes nothing proves nothing");
        }
    }

    @ParameterizedTest
    @MethodSource("oneOfEachMethod")
    void merged(String name) {
        JsonNode expected = Fixtures.json(Fixtures.adapter(name).resolve("expected.json"));
        String base = expected.get("model").asText();
        List<TokenSequence> texts = Fixtures.texts(base);
        BaseModel model = kernels.shared(base);
        try (PeftModel adapted = PeftModel.load(model, Fixtures.adapter(name))) {
            double[] before = Measure.together(adapted, texts);
            float[] logitsBefore = Measure.logits(adapted, texts.get(1).ids(), 40);
            if (expected.has("cannot_merge")) {
                String message = assertThrows(ConfigurationException.class, adapted::merge).getMessage();
                assertTrue(message.contains("cannot be merged at"), message);
                assertArrayEquals(before, Measure.together(adapted, texts));
                return;
            }
            adapted.merge();
            // Merging a layer that shares its matrix is not a change of the other here, so the unmerged numbers hold.
            boolean given = expected.has("merged_nll");
            Measure.assertClose(Fixtures.doubles(expected.get(given ? "merged_nll" : "nll_f64")),
                    Measure.together(adapted, texts), "merged");
            Measure.assertLogits(adapted, texts, expected.get(given ? "merged_logits" : "logits"));
            adapted.unmerge();
            assertArrayEquals(before, Measure.together(adapted, texts));
            assertArrayEquals(logitsBefore, Measure.logits(adapted, texts.get(1).ids(), 40));
        }
    }

    @Test
    void twoAdaptersAtOnce() {
        JsonNode expected = Fixtures.json("adapters/two-adapters.json");
        String base = expected.get("model").asText();
        BaseModel model = kernels.shared(base);
        try (PeftModel adapted = new PeftModel(model)) {
            for (JsonNode name : expected.get("adapters")) {
                adapted.loadAdapter(name.asText(), Fixtures.adapter(name.asText()));
            }
            adapted.activate(adapted.adapterNames().toArray(String[]::new));
            assertNumbers(adapted, base, expected);
            for (String name : adapted.adapterNames()) {
                adapted.activate(name);
                assertNumbers(adapted, base, Fixtures.json(Fixtures.adapter(name).resolve("expected.json")));
            }
        }
    }

    private static void assertNumbers(PeftModel adapted, String base, JsonNode expected) {
        List<TokenSequence> texts = Fixtures.texts(base);
        Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), Measure.oneByOne(adapted, texts), "texts");
        Measure.assertClose(Fixtures.doubles(expected.get("chat_nll_f64")),
                Measure.together(adapted, Fixtures.chats(base)), "chats");
        Measure.assertLogits(adapted, texts, expected.get("logits"));
    }
}
