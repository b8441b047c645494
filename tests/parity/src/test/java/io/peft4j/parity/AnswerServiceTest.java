package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.models.generation.PendingAnswer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Answers of the service beside those that are asked alone, for adapters of every method. */
class AnswerServiceTest {
    private static final String MODEL = "tiny-llama";
    /** Room for some of the prompts only, so that sequences lose their pages to others. */
    private static final AnswerServiceOptions SMALL = AnswerServiceOptions.defaults().withRows(12)
            .withPromptChunk(24).withWaiting(1000, 1000);

    /** All adapters of the fixtures for the model: those of its layers as they are. */
    private static Map<String, Path> adapters() {
        Map<String, Path> adapters = new LinkedHashMap<>();
        Fixtures.adapters().forEach(name -> adapters.put(name, Fixtures.adapter(name)));
        Fixtures.methods().forEach(name -> adapters.put("m-" + name, Fixtures.method(name)));
        adapters.entrySet().removeIf(entry -> !isOfModel(entry.getValue()) || entry.getKey().equals("replicated"));
        return adapters;
    }

    private static boolean isOfModel(Path adapter) {
        JsonNode expected = Fixtures.json(adapter.resolve("expected.json"));
        return expected.path("model").asText().equals(MODEL);
    }

    /** Prompts that begin alike over more than a page, and differ in length. */
    private static Prompt prompt(int number) {
        int shared = number % 3 == 0 ? 0 : 70;
        return Prompt.tokens(IntStream.range(0, shared + 3 + number * 7 % 41)
                .map(i -> i < shared ? 3 + i * 7 % 300 : 3 + (number * 31 + i * 11) % 300).toArray());
    }

    private static GenerationOptions options(int number) {
        Sampling sampling = number % 2 == 0 ? Sampling.greedy()
                : Sampling.of(0.9, number).withTopP(0.95).withPenalties(0.3, 0.2);
        return GenerationOptions.defaults().withMaxNewTokens(6 + number % 5 * 9).withSampling(sampling)
                .withLogProbabilities(2).withPromptLookup(number % 4 == 3 ? 4 : 0);
    }

    /** Bit for bit, since the naive kernels compute a row as if it were alone. */
    @Test
    void adaptersOfEveryMethodAnswerTogetherAsAlone() {
        answerTogether(KernelsUnderTest.sharedNaive(MODEL), 0);
    }

    /** With probabilities as near as the kernels' rounding lets them be. */
    @Tag("full")
    @Test
    void soTheyDoOnTheKernelsOfAnApplication() {
        answerTogether(KernelsUnderTest.sharedBest(MODEL), 1e-4);
    }

    private static void answerTogether(BaseModel base, double tolerance) {
        Map<String, Path> adapters = adapters();
        assertTrue(adapters.size() > 50, "adapters " + adapters.keySet());
        List<String> names = new ArrayList<>(adapters.keySet());
        names.add(PeftModel.BASE);
        long cacheBytes = 1280 * 384L;
        try (PeftModel model = new PeftModel(base)) {
            adapters.forEach(model::loadAdapter);
            try (AnswerService service = AnswerService.open(model, SMALL.withCacheBytes(cacheBytes))) {
                List<PendingAnswer> pending = new ArrayList<>();
                for (int i = 0; i < names.size(); i++) {
                    pending.add(service.submit(AnswerRequest.of(prompt(i)).withAdapter(names.get(i))
                            .withOptions(options(i)).withClient("client " + i % 5)));
                }
                for (int i = 0; i < names.size(); i++) {
                    String[] alone = names.get(i).equals(PeftModel.BASE) ? new String[0] : new String[] {names.get(i)};
                    Completion expected = model.with(alone).generate(List.of(prompt(i)), options(i)).get(0);
                    assertSame(expected, pending.get(i).completions().join().get(0), tolerance,
                            "request " + i + " to " + names.get(i));
                }
                assertEquals(0, service.status().usedCacheRows());
            }
        }
    }

    private static void assertSame(Completion expected, Completion actual, double tolerance, String what) {
        assertArrayEquals(expected.ids(), actual.ids(), what);
        assertEquals(expected.text(), actual.text(), what);
        assertEquals(expected.stopReason(), actual.stopReason(), what);
        assertEquals(expected.probabilities().size(), actual.probabilities().size(), what);
        for (int i = 0; i < expected.probabilities().size(); i++) {
            assertEquals(expected.probabilities().get(i).logProbability(),
                    actual.probabilities().get(i).logProbability(), tolerance, what + ", token " + i);
        }
    }
}
