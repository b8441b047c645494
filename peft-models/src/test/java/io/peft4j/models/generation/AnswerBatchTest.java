package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.decoder.LlamaFamily;
import io.peft4j.models.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rows that answers without a bound compute and keep, and that neither parts nor neighbours change them. */
class AnswerBatchTest {
    private static final Path MODEL = Path.of("../tests/fixtures/tiny-llama");
    /** Kernels may add in another order where a product has another height. */
    private static final double ROUNDING = 2e-5;

    private final Engine engine = new Engine(new NaiveKernels());
    private final CountingNetwork network = new CountingNetwork(new LlamaFamily().build("tiny",
            ModelConfig.read(MODEL.resolve("config.json")),
            new WeightLoader(Safetensors.open(MODEL), WeightType.F32)));
    private final ModelLease model = new ModelLease(network, engine, LayerSelection.BASE, List.of());
    private final Tokenizer tokenizer = Tokenizers.fromFolder(MODEL);

    @AfterEach
    void close() {
        tokenizer.close();
        network.close();
        engine.close();
    }

    /** A prompt of {@code shared} tokens that all have, then its own. */
    private static Prompt prompt(int shared, int own, int seed) {
        return Prompt.tokens(IntStream.concat(IntStream.range(0, shared).map(i -> 3 + i * 7 % 300),
                IntStream.range(0, own).map(i -> 3 + (seed * 31 + i * 11) % 300)).toArray());
    }

    private static GenerationOptions options(int tokens) {
        return GenerationOptions.defaults().withMaxNewTokens(tokens).withLogProbabilities(3);
    }

    private List<Completion> answers(List<Prompt> prompts, GenerationOptions options) {
        network.rows.clear();
        return new TextGenerator(tokenizer, Optional.empty(), Set.of()).generate(model, prompts, options);
    }

    @Test
    void aSharedBeginningIsComputedOnceAndEveryStepIsOneRowASequence() {
        int shared = 2 * CachePages.PAGE;
        answers(List.of(prompt(shared, 5, 1), prompt(shared, 3, 2), prompt(shared, 9, 3)), options(3));
        assertEquals(List.of(shared + 3, 1 + 5 + 9, 3, 2), network.rows);
        assertEquals(List.of(1, 3, 3, 2), network.asked);
    }

    @Test
    void longPromptsAreComputedInParts() {
        List<Prompt> prompts = IntStream.range(0, 12).mapToObj(i -> prompt(0, 200, i)).toList();
        List<Completion> together = answers(prompts, options(3));
        assertTrue(network.rows.stream().allMatch(rows -> rows <= 2048 + prompts.size()), "rows " + network.rows);
        assertEquals(prompts.size() * (200 + 2), network.rows.stream().mapToInt(n -> n).sum());
        assertAlone(prompts, together, options(3));
    }

    /** Sequences that take more than one page of the cache, end at different times and leave theirs to others. */
    @Test
    void answersDoNotDependOnTheirNeighbours() {
        List<Prompt> prompts = List.of(prompt(12, 5, 1), prompt(12, 228, 2), prompt(0, 6, 3), prompt(200, 9, 4),
                prompt(200, 0, 5));
        GenerationOptions options = options(2 * CachePages.PAGE + 3);
        List<Completion> together = answers(prompts, options);
        assertEquals(16, together.get(1).ids().length, "what fits behind a long prompt");
        assertAlone(prompts, together, options);
        assertSame(together, answers(prompts, options.withBatchSize(2)));
    }

    /** Tokens that are tried in vain leave nothing behind, also where they take the next page of the cache. */
    @Test
    void triedTokensGiveTheirRowsBack() {
        List<Prompt> prompts = List.of(prompt(12, 5, 1), prompt(12, 3, 2));
        GenerationOptions options = options(2 * CachePages.PAGE + 4);
        List<Completion> plain = answers(prompts, options);
        int steps = network.rows.size();
        assertSame(plain, answers(prompts, options.withPromptLookup(4)));
        assertTrue(network.rows.size() < steps, "some tries were right");
        assertTrue(network.rows.stream().mapToInt(n -> n).sum() > 20 + 2 * (2 * CachePages.PAGE + 3), "some were not");
    }

    /** The cache follows what is generated, and not what might be; answers that ended leave their rows to others. */
    @Test
    void theCacheGrowsByNeed() {
        List<Prompt> prompts = IntStream.range(0, 8).mapToObj(i -> prompt(0, 20, i)).toList();
        answers(prompts, options(2).withBatchSize(2));
        assertEquals(2 * CachePages.PAGE, network.cache.rows());
        answers(prompts.subList(0, 1), options(3 * CachePages.PAGE));
        assertTrue(network.cache.rows() >= 20 + 3 * CachePages.PAGE - 1
                && network.cache.rows() <= 2 * (20 + 3 * CachePages.PAGE), "grown to " + network.cache.rows());
    }

    /** The cache grows between steps: where that fails for all together, each answer finds a cache that is whole. */
    @Test
    void memoryThatIsRefusedOnceSpoilsNoAnswer() {
        List<Prompt> prompts = List.of(prompt(0, CachePages.PAGE - 4, 1), prompt(0, CachePages.PAGE - 3, 2));
        GenerationOptions options = options(CachePages.PAGE);
        List<Completion> expected = answers(prompts, options);
        long blocks = NativeMemory.blocks();
        int survived = 0;
        boolean refused = true;
        for (int point = 1; refused; point++) {
            Faults faults = Faults.at(point, true, Set.of(Step.NATIVE));
            try (faults) {
                assertSame(expected, answers(prompts, options));
                survived++;
            } catch (RuntimeException | OutOfMemoryError e) {
                assertTrue(e.getMessage().contains("injected"), e.toString());
            }
            refused = !faults.failed().isEmpty();
            assertEquals(blocks, NativeMemory.blocks(), faults.failed());
        }
        assertTrue(survived > network.description().layers(), survived + " points");
    }

    /** Such as one whose schema is too deep. */
    @Test
    void anErrorThatOneRequestMeetsEndsNoOther() {
        AnswerServiceOptions options = AnswerServiceOptions.defaults().withRows(2);
        TextGenerator generator = new TextGenerator(tokenizer, Optional.empty(), Set.of());
        List<PendingRequest> both = List.of(pending(generator, prompt(0, 5, 1)), pending(generator, prompt(0, 6, 2)));
        try (AnswerBatch batch = new AnswerBatch(model, options, new CacheShare(2, 0, 4))) {
            both.forEach(batch::join);
            batch.step(each -> true);
            batch.step(each -> {
                if (each.pending() == both.get(0)) {
                    throw new StackOverflowError("too deep");
                }
                return true;
            });
            assertEquals("1 2", both.get(0).answers().get(0).length() + " " + both.get(1).answers().get(0).length());
            assertTrue(both.get(0).failure().orElseThrow().getMessage().contains("too deep"));
            assertEquals(Optional.empty(), both.get(1).failure());
        }
    }

    /** The next request of the adapter finds the pages that it needs. */
    @Test
    void virtualTokensThatFailGiveTheirPagesBack() {
        LayerSelection layers = new LayerSelection() {
            @Override
            public Layer at(Slot slot) {
                return slot.layer();
            }

            @Override
            public PackedBatch prepare(PackedBatch batch) {
                return batch.withVirtualTokens(3);
            }
        };
        TextGenerator generator = new TextGenerator(tokenizer, Optional.empty(), Set.of());
        PendingRequest request = pending(generator, prompt(0, 5, 1), model.withLayers(layers));
        try (AnswerBatch batch = new AnswerBatch(model, AnswerServiceOptions.defaults(), new CacheShare(1, 0, 2))) {
            network.refuses = context -> true;
            batch.join(request);
            assertTrue(request.failure().orElseThrow().getMessage().contains("too deep"));
            assertEquals(1, network.thrown);
            assertEquals(0, batch.usedRows());
        }
    }

    /** Also where it fails only as long as it is shared, or when some have their token. */
    @ParameterizedTest
    @CsvSource({"one, 3", "shared, 3", "later, 70"})
    void aCommonPassThatFailsEndsOnlyThoseThatFailAlone(String what, int count) {
        List<Prompt> prompts = IntStream.range(0, count).mapToObj(i -> prompt(0, 5 + i % 3, i)).toList();
        List<Completion> expected = answers(prompts, options(4));
        TextGenerator generator = new TextGenerator(tokenizer, Optional.empty(), Set.of());
        List<PendingRequest> all = prompts.stream().map(prompt -> pending(generator, prompt)).toList();
        try (AnswerBatch batch = new AnswerBatch(model, AnswerServiceOptions.defaults().withRows(count),
                new CacheShare(count, 0, 3 * count))) {
            all.forEach(batch::join);
            while (all.stream().anyMatch(each -> each.answers().get(0).length() == 0)) {
                batch.step(each -> true);
            }
            int position = all.get(1).promptTokens() + all.get(1).answers().get(0).length() - 1;
            network.refuses = context -> switch (what) {
                case "one" -> IntStream.of(context.batch().positions()).anyMatch(each -> each == position);
                case "shared" -> context.batch().rows() > 1;
                default -> false;
            };
            network.refusesLogits = rows -> what.equals("later") && rows > 1 && rows < 64;
            assertTrue(batch.step(each -> true));
            assertEquals(what.equals("one") ? 2 : 1, network.thrown);
            network.refuses = context -> false;
            network.refusesLogits = rows -> false;
            for (int i = 0; i < 4; i++) {
                batch.step(each -> !each.pending().isDead() && each.answer().isRunning());
            }
        }
        for (int i = 0; i < all.size(); i++) {
            boolean fails = i == 1 && what.equals("one");
            assertEquals(fails, all.get(i).failure().isPresent(), what + " " + i);
            GrowingAnswer answer = all.get(i).answers().get(0);
            if (fails) {
                assertTrue(all.get(i).failure().get().getMessage().contains("too deep"));
            } else {
                assertArrayEquals(expected.get(i).ids(), IntStream.range(0, answer.length()).map(answer::token)
                        .toArray(), what + " " + i);
            }
        }
    }

    private PendingRequest pending(TextGenerator generator, Prompt prompt) {
        return pending(generator, prompt, model);
    }

    private PendingRequest pending(TextGenerator generator, Prompt prompt, ModelLease base) {
        EncodedPrompt encoded = generator.encode(base, prompt, 0);
        PendingRequest request = new PendingRequest(AnswerRequest.of(prompt).withOptions(options(4)), encoded,
                encoded.invoked(base), base, Optional.empty(), Runnable::run, () -> {
                });
        request.answers().add(generator.answer(base, 0, encoded, Optional.empty(), request.options()));
        return request;
    }

    private void assertAlone(List<Prompt> prompts, List<Completion> together, GenerationOptions options) {
        assertSame(prompts.stream().map(prompt -> answers(List.of(prompt), options).get(0)).toList(), together);
    }

    private static void assertSame(List<Completion> expected, List<Completion> actual) {
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i).ids(), actual.get(i).ids(), "answer " + i);
            assertArrayEquals(logProbabilities(expected.get(i)), logProbabilities(actual.get(i)), ROUNDING,
                    "answer " + i);
        }
    }

    private static double[] logProbabilities(Completion answer) {
        return answer.probabilities().stream().flatMap(token -> token.mostLikely().stream())
                .mapToDouble(Completion.TokenProbability.Alternative::logProbability).toArray();
    }

    /** Counts the rows of each pass, and those whose hidden states are asked for. */
    private static final class CountingNetwork implements CausalNetwork {
        private final CausalNetwork network;
        private final List<Integer> rows = new ArrayList<>();
        private final List<Integer> asked = new ArrayList<>();
        private KvCache cache;
        private Predicate<ForwardContext> refuses = context -> false;
        private IntPredicate refusesLogits = rows -> false;
        private int thrown;

        CountingNetwork(CausalNetwork network) {
            this.network = network;
        }

        @Override
        public ModelDescription description() {
            return network.description();
        }

        @Override
        public List<Slot> slots() {
            return network.slots();
        }

        @Override
        public Slot embedding() {
            return network.embedding();
        }

        @Override
        public Slot head() {
            return network.head();
        }

        @Override
        public Variable hidden(ForwardContext context) {
            throw new AssertionError("hidden states of all rows are not needed");
        }

        @Override
        public Variable hidden(ForwardContext context, int... wanted) {
            refuse(refuses.test(context));
            rows.add(context.batch().rows());
            asked.add((int) IntStream.of(wanted).distinct().count());
            return network.hidden(context, wanted);
        }

        @Override
        public Variable logits(ForwardContext context, Variable hidden) {
            refuse(refusesLogits.test((int) hidden.value().size(0)));
            return network.logits(context, hidden);
        }

        private void refuse(boolean now) {
            if (now) {
                thrown++;
                throw new StackOverflowError("too deep");
            }
        }

        @Override
        public KvCache newCache(int size) {
            cache = network.newCache(size);
            return cache;
        }

        @Override
        public void close() {
            network.close();
        }
    }
}
