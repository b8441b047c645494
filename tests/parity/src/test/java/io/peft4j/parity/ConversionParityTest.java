package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.LoraConversion;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Adapters of all methods as plain LoRA of the whole rank, against the numbers that Hugging Face had with them. */
class ConversionParityTest {
    /** The fixtures' smaller sides of matrices are below. */
    private static final int WHOLE = 64;

    static Stream<Path> adapters() {
        return Stream.concat(
                Fixtures.oneOfEach("adapters", Stream.concat(Stream.of("lora"), Fixtures.adapters().stream()),
                        "adapter_config.json", "peft_type").distinct().map(Fixtures::adapter),
                Fixtures.oneOfEachMethod().map(Fixtures::method));
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void theConvertedAdapterWhereItCanBe(Path folder) {
        JsonNode expected = Fixtures.json(folder.resolve("expected.json"));
        String base = expected.get("model").asText();
        List<TokenSequence> texts = Fixtures.texts(base);
        try (PeftModel adapted = PeftModel.load(KernelsUnderTest.sharedBest(base), folder)) {
            LoraConversion conversion = LoraConversion.add(adapted, PeftModel.DEFAULT_ADAPTER, "lora", WHOLE);
            // The change is read off weights that are rounded to float32.
            assertTrue(conversion.error() < 1e-4, conversion.toString());
            adapted.activate("lora");
            Measure.assertClose(Fixtures.doubles(expected.get("nll_f64")), Measure.oneByOne(adapted, texts), "lora");
        } catch (ConfigurationException e) {
            assertTrue(e.getMessage().contains("cannot be merged") || e.getMessage().contains("has no matrix")
                    || e.getMessage().contains("changes the bias"), e.getMessage());
        }
    }
}
