package io.peft4j.core.kernel;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionLayout.Sight;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Attention and rotary position embedding. */
interface AttentionContract extends KernelsUnderTest {
    /** Heads, key/value heads, head size. */
    int[][] HEADS = {{1, 1, 1}, {3, 3, 5}, {9, 3, 64}, {4, 1, 16}, {6, 2, 7}};

    /** Layouts of a training batch: keys are the rows of the batch. */
    static Map<String, AttentionLayout> trainingLayouts() {
        Map<String, AttentionLayout> layouts = new LinkedHashMap<>();
        layouts.put("one token", AttentionLayout.packed(1));
        layouts.put("one sequence", AttentionLayout.packed(37));
        layouts.put("packed", AttentionLayout.packed(5, 1, 31, 2, 17));
        layouts.put("long", AttentionLayout.packed(3, 300));
        Range prefix = new Range(0, 11);
        layouts.put("shared prefix", new AttentionLayout(List.of(new Segment(0, 11, List.of(), 0, 0),
                new Segment(11, 16, List.of(prefix), 11, 0), new Segment(16, 40, List.of(prefix), 16, 0),
                new Segment(40, 41, List.of(prefix), 40, 0), new Segment(41, 50, List.of(), 41, 0))));
        Range inner = new Range(11, 20);
        layouts.put("nested prefixes", new AttentionLayout(List.of(new Segment(0, 11, List.of(), 0, 0),
                new Segment(11, 20, List.of(prefix), 11, 0), new Segment(20, 23, List.of(prefix, inner), 20, 0),
                new Segment(23, 31, List.of(prefix, inner), 23, 0), new Segment(31, 38, List.of(prefix), 31, 0))));
        Range longPrefix = new Range(0, 150);
        layouts.put("long prefix", new AttentionLayout(List.of(new Segment(0, 150, List.of(), 0, 0),
                new Segment(150, 290, List.of(longPrefix), 150, 0), new Segment(290, 291, List.of(longPrefix), 290, 0),
                new Segment(291, 330, List.of(longPrefix), 291, 0))));
        return layouts;
    }

    /** Layouts of generation: keys are rows of a cache, in any order and with gaps. */
    static Map<String, AttentionLayout> cachedLayouts() {
        Map<String, AttentionLayout> layouts = new LinkedHashMap<>();
        layouts.put("decode", new AttentionLayout(List.of(new Segment(0, 1, List.of(), 40, 22),
                new Segment(1, 2, List.of(), 0, 0), new Segment(2, 3, List.of(), 5, 33))));
        layouts.put("continued prompt", new AttentionLayout(List.of(new Segment(0, 19, List.of(), 64, 7))));
        Range shared = new Range(3, 23);
        layouts.put("decode after a shared prefix", new AttentionLayout(List.of(
                new Segment(0, 1, List.of(shared), 30, 4),
                new Segment(1, 4, List.of(shared, new Range(60, 71)), 80, 9))));
        layouts.put("empty context", new AttentionLayout(List.of(new Segment(0, 5, List.of(new Range(7, 7)), 9, 2))));
        return layouts;
    }

    /** Layouts that are not causal, or have windows. */
    static Map<String, AttentionLayout> otherLayouts() {
        Map<String, AttentionLayout> layouts = new LinkedHashMap<>();
        layouts.put("encoder", AttentionLayout.bidirectional(1, 37, 64, 5));
        layouts.put("long encoder", AttentionLayout.bidirectional(3, 200));
        layouts.put("local encoder", AttentionLayout.bidirectional(9, 1, 140).windowed(31));
        layouts.put("narrow window", AttentionLayout.bidirectional(40).windowed(1));
        layouts.put("cross", AttentionLayout.cross(new int[] {5, 1, 130, 7}, new int[] {3, 70, 1, 133}));
        Range source = new Range(2, 40);
        layouts.put("beams", new AttentionLayout(List.of(Segment.cross(0, 1, List.of(source)),
                Segment.cross(1, 2, List.of(source)), Segment.cross(2, 3, List.of(new Range(50, 53), source)))));
        layouts.put("window", AttentionLayout.packed(5, 1, 200).windowed(70));
        layouts.put("window of one", AttentionLayout.packed(33).windowed(1));
        Range prefix = new Range(0, 90);
        layouts.put("window over a prefix", new AttentionLayout(List.of(new Segment(0, 90, List.of(), 0, 0),
                new Segment(90, 170, List.of(prefix), 90, 0), new Segment(170, 171, List.of(prefix), 170, 0)))
                .windowed(40));
        layouts.put("encoder behind keys", AttentionLayout.bidirectional(30, 3).behind(7, 0));
        layouts.put("window behind keys", AttentionLayout.bidirectional(30, 3).behind(7, 0).windowed(9));
        layouts.put("some rows of an encoder", AttentionLayout.bidirectional(40, 30).windowed(20)
                .select(0, 5, 6, 7, 30, 31, 39, 41, 69));
        layouts.put("window in a cache", new AttentionLayout(List.of(new Segment(0, 1, List.of(), 40, 62),
                new Segment(1, 2, List.of(new Range(3, 23), new Range(25, 37)), 110, 33),
                new Segment(2, 21, List.of(new Range(3, 23)), 150, 7))).windowed(21));
        layouts.put("mixed", new AttentionLayout(List.of(new Segment(0, 20, List.of(), 0, 0),
                Segment.bidirectional(20, 50, List.of(new Range(0, 20)), 20), Segment.cross(50, 60,
                        List.of(new Range(25, 70))),
                new Segment(60, 70, List.of(), 60, 0, 0, Sight.CAUSAL, 3))));
        return layouts;
    }

    @Test
    default void attentionThatIsNotCausal() {
        otherLayouts().forEach((name, layout) -> {
            for (int[] h : new int[][] {{2, 2, 5}, {6, 2, 32}}) {
                for (DataType type : TYPES) {
                    checkAttention(name, layout, layout.keyRows() + 3, h, type, type, 1);
                }
            }
        });
    }

    @Test
    default void attentionWithSoftCapsSinksAndBias() {
        Map<String, AttentionLayout> layouts = new LinkedHashMap<>(otherLayouts());
        layouts.put("packed", trainingLayouts().get("packed"));
        layouts.put("nested prefixes", trainingLayouts().get("nested prefixes"));
        layouts.put("decode", cachedLayouts().get("decode"));
        layouts.forEach((name, layout) -> {
            boolean cross = layout.segments().stream().anyMatch(s -> s.sight() == Sight.CROSS);
            checkExtras(name, layout, 1.5f, true, !cross, DataType.FLOAT);
            checkExtras(name, layout, 1.5f, true, !cross, DataType.BFLOAT16);
            if (layout.queryRows() <= 70) {
                checkExtras(name, layout, 1.5f, false, false, DataType.FLOAT);
                checkExtras(name, layout, 0, true, false, DataType.FLOAT);
                checkExtras(name, layout, 0, false, !cross, DataType.FLOAT);
            }
        });
    }

    private void checkExtras(String name, AttentionLayout layout, float softCap, boolean sinks, boolean biased,
            DataType type) {
        AttentionShape shape = new AttentionShape(4, 2, 16, 0.5f, softCap);
        try (KernelCase c = new KernelCase(this, "attention", name, softCap, sinks, biased, type)) {
            AttentionExtras extras = new AttentionExtras(
                    sinks ? Optional.of(c.normal(DataType.FLOAT, 4)) : Optional.empty(),
                    biased ? Optional.of(c.normal(DataType.FLOAT, 4, 23)) : Optional.empty());
            checkAttention(c, layout, layout.keyRows() + 3, shape, extras, type, type, 1);
        }
    }

    @Test
    default void attentionOfTrainingBatches() {
        trainingLayouts().forEach((name, layout) -> {
            for (int[] h : HEADS) {
                for (DataType type : TYPES) {
                    checkAttention(name, layout, layout.keyRows(), h, type, type, 1);
                }
            }
        });
    }

    @Test
    default void attentionOverACache() {
        cachedLayouts().forEach((name, layout) -> {
            for (int[] h : HEADS) {
                for (DataType type : TYPES) {
                    for (DataType cacheType : TYPES) {
                        checkAttention(name, layout, layout.keyRows() + 13, h, type, cacheType, 1);
                    }
                }
            }
        });
    }

    @Test
    default void largeScoresDoNotOverflow() {
        AttentionLayout layout = AttentionLayout.packed(40, 23);
        for (DataType type : TYPES) {
            checkAttention("large scores", layout, 63, new int[] {2, 1, 32}, type, type, 12);
        }
    }

    private void checkAttention(String name, AttentionLayout layout, int keyRows, int[] h, DataType type,
            DataType cacheType, double deviation) {
        AttentionShape shape = new AttentionShape(h[0], h[1], h[2], (float) (1 / Math.sqrt(h[2])));
        try (KernelCase c = new KernelCase(this, "attention", name, h[0], h[1], h[2], type, cacheType, deviation)) {
            checkAttention(c, layout, keyRows, shape, AttentionExtras.NONE, type, cacheType, deviation);
        }
    }

    private void checkAttention(KernelCase c, AttentionLayout layout, int keyRows, AttentionShape shape,
            AttentionExtras extras, DataType type, DataType cacheType, double deviation) {
        int n = layout.queryRows();
        INDArray q = c.scaled(type, deviation, n, shape.queryColumns());
        INDArray k = c.scaled(cacheType, deviation, keyRows, shape.keyColumns());
        INDArray v = c.normal(cacheType, keyRows, shape.keyColumns());
        INDArray out = c.normal(type, n, shape.queryColumns());
        INDArray lse = c.normal(DataType.FLOAT, n, shape.heads());
        // An error of the scores, which grow with the deviation, is a relative error of the probabilities.
        c.loosened(Math.max(1, deviation));
        boolean reads = kernels().readsLogSumExp();
        c.compare(kernels -> kernels.attention(q, k, v, layout, shape, extras, out, lse),
                reads ? new INDArray[] {out, lse} : new INDArray[] {out});
        // The kernels that these are compared with read it.
        try (NaiveKernels naive = new NaiveKernels()) {
            naive.attention(q, k, v, layout, shape, extras, out, lse);
        }
        kernels().attention(q, k, v, layout, shape, extras, out, lse);
        // The gradient of a score is a difference of dot products of D terms of size 1, and multiplies q or k.
        // Kernels may compute one of the two from the rounded output, so in BFLOAT16 all of its error counts.
        boolean exact = type == DataType.FLOAT && cacheType == DataType.FLOAT;
        c.termsOfSize(deviation * (exact ? 1 : Math.sqrt(shape.headSize())));
        INDArray dOut = c.normal(type, n, shape.queryColumns());
        INDArray dq = c.normal(type, n, shape.queryColumns());
        INDArray dk = c.normal(cacheType, keyRows, shape.keyColumns());
        INDArray dv = c.normal(cacheType, keyRows, shape.keyColumns());
        c.compare(kernels -> kernels.attentionBackward(dOut, q, k, v, out, lse, layout, shape, extras, dq, dk, dv),
                dq, dk, dv);
    }

    @Test
    default void rotary() {
        for (int[] s : new int[][] {{1, 1, 2, 1}, {5, 3, 64, 32}, {67, 9, 64, 32}, {13, 2, 10, 5}, {9, 2, 16, 4}}) {
            for (DataType type : TYPES) {
                try (KernelCase c = new KernelCase(this, "rotary", s[0], s[1], s[2], s[3], type)) {
                    float[] frequencies = new float[s[3]];
                    for (int i = 0; i < frequencies.length; i++) {
                        frequencies[i] = (float) Math.pow(10_000, -(double) i / frequencies.length);
                    }
                    RotaryTable table = new RotaryTable(frequencies, 200, 1.1f);
                    RotaryTable pairs = new RotaryTable(frequencies, 200, 1.1f, true);
                    INDArray x = c.normal(type, s[0], s[1] * s[2]);
                    int[] positions = c.indices(s[0], 200);
                    c.compare(k -> k.rotary(x, s[2], table, positions, false), x);
                    c.compare(k -> k.rotary(x, s[2], table, positions, true), x);
                    c.compare(k -> k.rotary(x, s[2], pairs, positions, false), x);
                    c.compare(k -> k.rotary(x, s[2], pairs, positions, true), x);
                }
            }
        }
    }
}
