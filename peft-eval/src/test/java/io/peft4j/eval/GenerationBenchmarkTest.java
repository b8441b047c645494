package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The figures hang together and count what was answered. */
class GenerationBenchmarkTest {
    private static final Path TINY = Path.of("../tests/fixtures/tiny-llama");
    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(6).withBatchSize(2);

    private static BaseModel model;

    @BeforeAll
    static void load() {
        model = BaseModel.load(TINY.toString());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void countsTheTokensOfAllAnswers() {
        List<Prompt> prompts = GenerationBenchmark.randomPrompts(model, 5, 9, 1);
        long tokens = model.generate(prompts, OPTIONS).stream().mapToLong(answer -> answer.ids().length).sum();
        GenerationBenchmark.GenerationMeasurement m = new GenerationBenchmark(model, prompts, OPTIONS, 1, 1).run();
        assertEquals(tokens, m.newTokens());
        assertEquals(5, m.prompts());
        // Only rounding is between the two.
        assertEquals(tokens, m.tokensPerSecond() * m.seconds(), 1e-9 * tokens);
        assertTrue(m.stepsPerSecond().isEmpty(), "three batches have no common steps");
    }

    @Test
    void aSingleBatchReportsTheShareOfMemoryBandwidth() {
        List<Prompt> prompts = GenerationBenchmark.randomPrompts(model, 2, 9, 1);
        GenerationBenchmark.GenerationMeasurement m = new GenerationBenchmark(model, prompts, OPTIONS, 1, 2).run();
        double steps = m.stepsPerSecond().orElseThrow();
        assertTrue(steps > 0 && m.firstTokenSeconds() > 0, m.toString());
        assertEquals(steps * m.weightBytes(), m.shareOfBandwidth().orElseThrow() * m.memoryGigabytesPerSecond() * 1e9,
                1e-9 * steps * m.weightBytes());
    }

    @Test
    void invalidMeasurementsAreRefused() {
        assertThrows(ConfigurationException.class, () -> new GenerationBenchmark(model, List.of(), OPTIONS, 1, 1));
        assertThrows(ConfigurationException.class, () -> GenerationBenchmark.randomPrompts(model, 1, 0, 0));
    }
}
