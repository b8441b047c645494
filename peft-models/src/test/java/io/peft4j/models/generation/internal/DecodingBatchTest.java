package io.peft4j.models.generation.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.kernel.support.NaiveKernels;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.safetensors.support.Safetensors;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.support.WeightLoader;
import io.peft4j.models.architecture.support.WeightType;
import io.peft4j.models.decoder.internal.LlamaFamily;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The rows that a batch of sequences computes and keeps, and that neither pieces nor neighbours change its logits. */
class DecodingBatchTest {
    private static final Path MODEL = Path.of("../tests/fixtures/tiny-llama");
    /** Kernels may add in another order where a product has another height. */
    private static final float ROUNDING = 2e-5f;

    private final Engine engine = new Engine(new NaiveKernels());
    private final CountingNetwork network = new CountingNetwork(new LlamaFamily().build("tiny",
            ModelConfig.read(MODEL.resolve("config.json")),
            new WeightLoader(Safetensors.open(MODEL), WeightType.F32)));

    private final ModelLease model = new ModelLease(network, engine, LayerSelection.BASE, List.of());

    @AfterEach
    void close() {
        network.close();
        engine.close();
    }

    /** A prompt of {@code shared} tokens that all have, then its own. */
    private static int[] prompt(int shared, int own, int seed) {
        return IntStream.concat(IntStream.range(0, shared).map(i -> 3 + i * 7 % 300),
                IntStream.range(0, own).map(i -> 3 + (seed * 31 + i * 11) % 300)).toArray();
    }

    /** The logits of each sequence after its prompt and after each of its tokens; a sequence ends when it has them. */
    private Map<Integer, List<float[]>> run(List<int[]> prompts, int promptRows, int... newTokens) {
        Map<Integer, List<float[]>> logits = new TreeMap<>();
        int[] generated = new int[prompts.size()];
        try (DecodingBatch batch = new DecodingBatch(model, encoded(prompts),
                new int[prompts.size()], 1, promptRows)) {
            batch.prompts((s, row) -> logits.computeIfAbsent(s, k -> new ArrayList<>()).add(row.values().clone()));
            while (true) {
                int[] running = IntStream.range(0, generated.length).filter(s -> generated[s] < newTokens[s]).toArray();
                if (running.length == 0) {
                    return logits;
                }
                int[][] tokens = IntStream.of(running).map(s -> token(s, generated[s]))
                        .mapToObj(token -> new int[] {token}).toArray(int[][]::new);
                batch.step(running, tokens, IntStream.of(running).map(s -> generated[s]).toArray(),
                        (s, row) -> logits.get(s).add(row.values().clone()));
                for (int s : running) {
                    generated[s]++;
                }
            }
        }
    }

    @Test
    void aSharedBeginningIsComputedOnceAndEveryStepIsOneRowASequence() {
        run(List.of(prompt(40, 5, 1), prompt(40, 3, 2), prompt(40, 9, 3)), 1000, 2, 0, 3);
        assertEquals(List.of(40 + 5 + 3 + 9, 2, 2, 1), network.rows);
        assertEquals(List.of(3, 2, 2, 1), network.asked);
    }

    @Test
    void longPromptsAreComputedInParts() {
        List<int[]> prompts = List.of(prompt(40, 5, 1), prompt(40, 3, 2), prompt(40, 30, 3));
        Map<Integer, List<float[]>> whole = run(prompts, 1000, 2, 2, 2);
        network.rows.clear();
        for (int rows : new int[] {1, 7, 41, 78}) {
            Map<Integer, List<float[]>> parts = run(prompts, rows, 2, 2, 2);
            assertSame(whole, parts, "in parts of " + rows);
            assertTrue(network.rows.stream().allMatch(n -> n <= Math.max(3, rows)), "rows " + network.rows);
            assertEquals(78 + 2 * 3, network.rows.stream().mapToInt(n -> n).sum());
            network.rows.clear();
        }
    }

    /** Sequences that take more than one piece of the cache, end at different times and leave theirs to others. */
    @Test
    void logitsDoNotDependOnTheNeighbours() {
        int piece = CacheSpace.PIECE;
        List<int[]> prompts = List.of(prompt(12, 5, 1), prompt(12, 0, 2), prompt(0, 6, 3), prompt(12, 9, 4));
        int[] newTokens = {2 * piece + 3, 5, piece, 3 * piece + 1};
        Map<Integer, List<float[]>> together = run(prompts, 1000, newTokens);
        for (int s = 0; s < prompts.size(); s++) {
            int[] ids = newTokens;
            int index = s;
            Map<Integer, List<float[]>> others = run(prompts, 1000,
                    IntStream.range(0, ids.length).map(i -> i == index ? ids[i] : 0).toArray());
            assertEquals(newTokens[s] + 1, together.get(s).size());
            assertSame(Map.of(s, others.get(s)), Map.of(s, together.get(s)), "sequence " + s);
        }
    }

    /** Tokens that are tried in vain leave nothing behind, also where they take the next piece of the cache. */
    @Test
    void triedTokensGiveTheirRowsBack() {
        int piece = CacheSpace.PIECE;
        List<int[]> prompts = List.of(prompt(12, 5, 1), prompt(12, 3, 2));
        Map<Integer, List<float[]>> expected = run(prompts, 1000, piece + 4, piece + 4);
        Map<Integer, List<float[]>> actual = new TreeMap<>();
        try (DecodingBatch batch = new DecodingBatch(model, encoded(prompts), new int[2], 5)) {
            batch.prompts((s, row) -> actual.computeIfAbsent(s, k -> new ArrayList<>()).add(row.values().clone()));
            for (int done = 0; done < piece + 4; done += 2) {
                int from = done;
                int[][] tokens = IntStream.range(0, 2).mapToObj(s -> new int[] {token(s, from), token(s, from + 1),
                    7, 8, 9}).toArray(int[][]::new);
                Map<Integer, List<float[]>> step = new TreeMap<>();
                batch.step(new int[] {0, 1}, tokens, new int[] {done, done},
                        (s, row) -> step.computeIfAbsent(s, k -> new ArrayList<>()).add(row.values().clone()));
                for (int s = 0; s < 2; s++) {
                    assertEquals(5, step.get(s).size());
                    actual.get(s).addAll(step.get(s).subList(0, 2));
                    batch.keep(s, 2);
                }
            }
        }
        assertSame(expected, actual, "with tokens tried in vain");
    }

    private static int token(int sequence, int index) {
        return 3 + (sequence * 17 + index * 5) % 300;
    }

    /** The cache follows what is generated: the longest answer alone takes more rows, those that ended give theirs. */
    @Test
    void theCacheGrowsByNeed() {
        int piece = CacheSpace.PIECE;
        List<int[]> prompts = List.of(prompt(12, 5, 1), prompt(12, 0, 2), prompt(12, 6, 3), prompt(12, 9, 4));
        int start = 12 + 5 + 6 + 9 + 4 * piece;
        try (DecodingBatch batch = new DecodingBatch(model, encoded(prompts),
                new int[prompts.size()], 1)) {
            batch.prompts((s, row) -> {
            });
            assertEquals(start, batch.cacheRows());
            for (int i = 0; i < piece; i++) {
                int done = i;
                batch.step(new int[] {0, 1, 2, 3}, new int[][] {{5}, {6}, {7}, {8}},
                        IntStream.range(0, 4).map(s -> done).toArray(), (s, row) -> {
                        });
            }
            assertEquals(start, batch.cacheRows());
            for (int i = piece; i < 4 * piece; i++) {
                batch.step(new int[] {2}, new int[][] {{5}}, new int[] {i}, (s, row) -> {
                });
            }
            assertEquals(start, batch.cacheRows());
            batch.step(new int[] {2}, new int[][] {{5}}, new int[] {4 * piece}, (s, row) -> {
            });
            assertTrue(batch.cacheRows() >= start + piece && batch.cacheRows() <= 2 * start,
                    "grown from " + start + " to " + batch.cacheRows());
        }
    }

    private static void assertSame(Map<Integer, List<float[]>> expected, Map<Integer, List<float[]>> actual,
            String what) {
        assertEquals(expected.keySet(), actual.keySet(), what);
        expected.forEach((s, rows) -> {
            assertEquals(rows.size(), actual.get(s).size(), what);
            for (int i = 0; i < rows.size(); i++) {
                assertArrayEquals(rows.get(i), actual.get(s).get(i), ROUNDING, what + ", token " + i);
            }
        });
    }

    /** Counts the rows of each pass, and those whose hidden states are asked for. */
    private static final class CountingNetwork implements CausalNetwork {
        private final CausalNetwork network;
        private final List<Integer> rows = new ArrayList<>();
        private final List<Integer> asked = new ArrayList<>();

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
            rows.add(context.batch().rows());
            asked.add((int) Arrays.stream(wanted).distinct().count());
            return network.hidden(context, wanted);
        }

        @Override
        public KvCache newCache(int size) {
            return network.newCache(size);
        }

        @Override
        public void close() {
            network.close();
        }
    }

    private static List<EncodedPrompt> encoded(List<int[]> prompts) {
        return prompts.stream().map(EncodedPrompt::of).toList();
    }
}
