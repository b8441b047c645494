package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.methods.PrefixTuningConfig;
import io.peft4j.methods.PromptTuningConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.models.generation.PendingAnswer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers of networks whose layers remember a sequence as a state, or share keys and values: with tokens that are
 * tried and taken back, beginnings that prompts share, several adapters and virtual tokens they are those that each
 * prompt gets alone.
 */
@ParameterizedClass
@MethodSource("models")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StateAnswersTest {
    private static final int PROMPTS = 9;
    private static final GenerationOptions PLAIN = GenerationOptions.defaults().withMaxNewTokens(24);

    /** One of each kind of state; LFM 3 has that of LFM 2. */
    static List<String> models() {
        return KernelsUnderTest.FULL ? List.of("lfm2", "lfm3", "qwen3-5", "granite-hybrid", "gemma4")
                : List.of("lfm2", "qwen3-5", "granite-hybrid", "gemma4");
    }

    @Parameter
    String name;
    private BaseModel base;
    private PeftModel model;
    private List<String> adapters;

    @BeforeParameterizedClassInvocation(injectArguments = false)
    void load(@TempDir Path folder) throws IOException {
        Path fixture = Fixtures.FOLDER.resolve("families").resolve(name);
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture.resolve(file), folder.resolve(file));
        }
        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), folder.resolve(file));
        }
        base = BaseModel.load(folder.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
        model = new PeftModel(base);
        model.loadAdapter("lora", fixture.resolve("adapter"));
        // Layers of Gemma 4 look up the token ids, which virtual tokens do not have.
        boolean virtual = !name.equals("gemma4");
        if (virtual) {
            model.addAdapter("prompt", PromptTuningConfig.builder().virtualTokens(3).build(), new SplittableRandom(5));
        }
        adapters = virtual ? List.of("lora", "prompt", PeftModel.BASE) : List.of("lora", PeftModel.BASE);
    }

    @AfterParameterizedClassInvocation
    void close() {
        model.close();
        base.close();
    }

    /** Two thirds begin alike over more than two pages; all repeat themselves, so that there are tokens to try. */
    private static Prompt prompt(int number) {
        int shared = number % 3 == 0 ? 0 : 70;
        int own = 3 + number * 13 % 41;
        return Prompt.tokens(IntStream.range(0, shared + own)
                .map(i -> i < shared ? 3 + i % 23 * 7 : 3 + (number * 31 + i % 6 * 11) % 300).toArray());
    }

    private static List<Prompt> prompts() {
        return IntStream.range(0, PROMPTS).mapToObj(StateAnswersTest::prompt).toList();
    }

    private static List<int[]> alone(LanguageModel model) {
        return prompts().stream().map(prompt -> model.generate(List.of(prompt), PLAIN).get(0).ids()).toList();
    }

    @Test
    void answersTogetherEqualAnswersAloneWhateverIsTried() {
        List<int[]> expected = alone(base);
        for (int tried : new int[] {0, 1, 5}) {
            List<Completion> found = base.generate(prompts(), PLAIN.withPromptLookup(tried));
            for (int i = 0; i < PROMPTS; i++) {
                assertArrayEquals(expected.get(i), found.get(i).ids(), "prompt " + i + ", " + tried + " tried");
            }
        }
    }

    @Test
    void theServiceGoesOnFromKeptPrefixesAndMixesAdapters() {
        List<List<int[]>> expected = adapters.stream().map(adapter -> alone(adapter.equals(PeftModel.BASE)
                ? model.with() : model.with(adapter))).toList();
        for (int chunk : KernelsUnderTest.FULL ? new int[] {1, 24, 500} : new int[] {24}) {
            answerInRounds(expected, chunk);
        }
    }

    private void answerInRounds(List<List<int[]>> expected, int chunk) {
        AnswerServiceOptions options = AnswerServiceOptions.defaults().withRows(7).withPromptChunk(chunk)
                .withWaiting(1000, 1000);
        try (AnswerService service = AnswerService.open(model, options)) {
            for (int round = 0; round < 2; round++) {
                long before = service.status().reusedTokens();
                List<PendingAnswer> pending = new ArrayList<>();
                for (int i = 0; i < PROMPTS * adapters.size(); i++) {
                    pending.add(service.submit(AnswerRequest.of(prompt(i / adapters.size()))
                            .withAdapter(adapters.get(i % adapters.size()))
                            .withOptions(PLAIN.withPromptLookup(i % 2 * 4))));
                }
                for (int i = 0; i < pending.size(); i++) {
                    assertArrayEquals(expected.get(i % adapters.size()).get(i / adapters.size()),
                            pending.get(i).completions().join().get(0).ids(),
                            "chunks of " + chunk + ", round " + round + ", request " + i);
                }
                assertTrue(round == 0 || service.status().reusedTokens() > before, "nothing was reused");
            }
            assertEquals(0, service.status().usedCacheRows());
        }
    }

    /** Of sequences that are parts of each other, packed one after the other and as a tree. */
    @Test
    void aSequenceHasItsNumbersWhateverIsBesideIt() {
        int[] longest = ((Prompt.Tokens) prompt(4)).ids();
        List<TokenSequence> rows = IntStream.of(2, 3, 4, 31, 32, 33, 64, 65, 84)
                .mapToObj(n -> TokenSequence.allSupervised(java.util.Arrays.copyOf(longest, n))).toList();
        double[] alone = Measure.oneByOne(base, rows);
        Measure.assertClose(alone, Measure.together(base, PackedBatch.of(rows)), name + " packed");
        Measure.assertClose(alone, Measure.together(base, PackedBatch.sharingPrefixes(rows)), name + " as a tree");
    }

    @Test
    void prefixesOfKeysAndValuesAreRefused() {
        String message = assertThrows(ConfigurationException.class, () -> new PeftModel(base).addAdapter("prefix",
                PrefixTuningConfig.builder().virtualTokens(2).build())).getMessage();

        assertTrue(message.contains("prefix tuning needs keys and values in every layer"), message);
    }
}
