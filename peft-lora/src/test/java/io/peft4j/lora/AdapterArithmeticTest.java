package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.lora.init.LoraInit;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Combinations and conversions; that the former equal Hugging Face PEFT's is shown where its fixtures are. */
class AdapterArithmeticTest {
    private static final List<int[]> SEQUENCES = List.of(new int[] {1, 5, 3, 5, 2, 9}, new int[] {4, 12, 8, 4});
    private final TinyModel base = new TinyModel(new TinyNetwork(1, false, false));
    private PeftModel model;

    @BeforeEach
    void addAdapters() {
        model = new PeftModel(base);
        model.addAdapter("a", random(2, "q_proj", "embed_tokens"), new SplittableRandom(1));
        model.addAdapter("b", random(3, "q_proj", "v_proj"), new SplittableRandom(2));
        model.addAdapter("c", random(2, "v_proj", "down_proj"), new SplittableRandom(3));
    }

    @AfterEach
    void close() {
        model.close();
        base.close();
    }

    private static LoraConfig random(int rank, String... targets) {
        return LoraConfig.builder().rank(rank).alpha(3).initialization(LoraInit.RANDOM).targetModules(targets)
                .build();
    }

    private float[] logits(String... adapters) {
        return Passes.logits(model.with(adapters), SEQUENCES);
    }

    /** Sums of products in another order: some 1e-6 of the largest logit. */
    private static void assertClose(float[] expected, float[] actual, double tolerance) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertArrayEquals(expected, actual, (float) (tolerance * largest));
    }

    @Test
    void concatenatingIsTheSumOfTheAdapters() {
        WeightedCombination.of(CombinationType.CAT).adapter("a", 1).adapter("b", 1).adapter("c", 1)
                .addTo(model, "all");
        assertEquals(7, ((LoraConfig) model.adapter("all").config()).rank());
        assertClose(logits("a", "b", "c"), logits("all"), 1e-5);
        WeightedCombination.of(CombinationType.SVD).adapter("a", 1).adapter("b", 1).adapter("c", 1).svdRank(7)
                .addTo(model, "decomposed");
        assertClose(logits("a", "b", "c"), logits("decomposed"), 1e-5);
    }

    @Test
    void aNegativeWeightTakesAway() {
        WeightedCombination.of(CombinationType.CAT).adapter("a", -1).addTo(model, "minus");
        assertClose(logits(), logits("a", "minus"), 1e-5);
        assertEquals(2, ((LoraConfig) model.adapter("minus").config()).rank());
    }

    @Test
    void droppedValuesAreAsManyAsAskedForAndTheSumIsKeptInTheMean() {
        int n = 20_000;
        double[] ones = new double[n];
        java.util.Arrays.fill(ones, 1);
        double[] kept = new TaskArithmetic(CombinationType.DARE_LINEAR, 0.3, WeightedCombination.MajoritySign.TOTAL,
                WeightedCombination.DropMask.random(new SplittableRandom(5))).combine(List.of(ones), new double[] {2});
        double sum = 0;
        int count = 0;
        for (double value : kept) {
            sum += value;
            count += value != 0 ? 1 : 0;
        }
        // Five standard deviations of a binomial count.
        double deviation = Math.sqrt(n * 0.3 * 0.7);
        assertEquals(0.3 * n, count, 5 * deviation);
        assertEquals(2.0 * n, sum, 5 * deviation * 2 / 0.3);
    }

    @Test
    void theMajoritySignIsBySumOrCount() {
        List<double[]> values = List.of(new double[] {-5, 1}, new double[] {1, 2}, new double[] {2, 0});
        double[] weights = {1, 1, 1};
        assertArrayEquals(new double[] {-5, 1.5},
                new TaskArithmetic(CombinationType.TIES, 1, WeightedCombination.MajoritySign.TOTAL,
                        null).combine(values, weights));
        assertArrayEquals(new double[] {1.5, 1.5}, new TaskArithmetic(CombinationType.TIES, 1,
                WeightedCombination.MajoritySign.FREQUENCY, null).combine(values, weights));
        assertArrayEquals(new double[] {0, -4, 3, 0}, new TaskArithmetic(CombinationType.MAGNITUDE_PRUNE, 0.5,
                WeightedCombination.MajoritySign.TOTAL, null)
                .combine(List.of(new double[] {1, -4, 3, 2}), new double[] {1}));
    }

    @Test
    void amongEqualValuesTheFirstAreKept() {
        TaskArithmetic half = new TaskArithmetic(CombinationType.MAGNITUDE_PRUNE, 0.5,
                WeightedCombination.MajoritySign.TOTAL, null);
        assertArrayEquals(new double[] {-2, 2, 0, 5, 0, 0}, half.combine(List.of(new double[] {-2, 2, 2, 5, -1, -2}),
                new double[] {1}));
        assertArrayEquals(new double[1], half.combine(List.of(new double[] {3}), new double[] {1}));
    }

    /** Two arrays of doubles and no object for each element, which would be 16 bytes more. */
    @Test
    void choosingTheLargestTakesLittleMemory() {
        double[] values = new SplittableRandom(3).doubles(1 << 20).toArray();
        TaskArithmetic half = new TaskArithmetic(CombinationType.MAGNITUDE_PRUNE, 0.5,
                WeightedCombination.MajoritySign.TOTAL, null);
        ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = thread.getCurrentThreadAllocatedBytes();
        half.combine(List.of(values), new double[] {1});
        long taken = thread.getCurrentThreadAllocatedBytes() - before;
        assertTrue(taken < 28L * values.length, taken + " bytes for " + values.length + " values");
    }

    @Test
    void anAdapterMayBeNamedTwiceButAWeightIsANumber() {
        WeightedCombination.of(CombinationType.CAT).adapter("a", 1).adapter("a", 0.5).addTo(model, "twice");
        WeightedCombination.of(CombinationType.LINEAR).adapter("a", 1.5).addTo(model, "once");
        assertClose(logits("once"), logits("twice"), 1e-5);
        for (double wrong : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(ConfigurationException.class,
                    () -> WeightedCombination.of(CombinationType.CAT).adapter("a", wrong));
        }
    }

    @Test
    void aSettingOfNoUseToTheTypeIsRefusedAndNotIgnored() {
        Map<String, WeightedCombination> wrong = Map.of(
                "the combination type is svd, which does not use a density", two(CombinationType.SVD).density(0.5),
                "the combination type is cat, which does not use a rank of a decomposition",
                two(CombinationType.CAT).svdRank(2),
                "the combination type is dare_linear, which does not use a majority sign",
                two(CombinationType.DARE_LINEAR).density(0.5).majoritySign(WeightedCombination.MajoritySign.FREQUENCY),
                "with one adapter the combination type is linear, which does not use a rank",
                WeightedCombination.of(CombinationType.SVD).adapter("a", 1).svdRank(1));
        wrong.forEach((reason, combination) -> {
            String message = assertThrows(ConfigurationException.class, () -> combination.addTo(model, "new"))
                    .getMessage();
            assertTrue(message.contains(reason), message);
        });
    }

    private static WeightedCombination two(CombinationType type) {
        return WeightedCombination.of(type).adapter("a", 1).adapter("c", 1);
    }

    @Test
    void unmatchedNamesInAFileAreIgnored(@TempDir Path folder) throws IOException {
        try (PeftModel other = PeftModel.of(base, random(2, "q_proj"))) {
            other.saveAdapter(folder);
        }
        Path config = folder.resolve("adapter_config.json");
        Files.writeString(config, Files.readString(config).replace("\"q_proj\"", "\"q_proj\", \"query\""));
        model.loadAdapter("stored", folder);
        WeightedCombination.of(CombinationType.CAT).adapter("stored", 1).adapter("b", 1).addTo(model, "new");
        assertEquals(Optional.of(List.of("q_proj", "v_proj")), model.adapter("new").config().targetModules().names());
    }

    /** The model has layers that only the first adapter's configuration names. */
    @Test
    void adaptersOnRepeatedLayersAreRecognized(@TempDir Path folder) {
        LoraConfig repeating = random(2, "q_proj").toBuilder()
                .layerReplication(new LayerRange(0, 2), new LayerRange(1, 2)).build();
        try (PeftModel wide = PeftModel.of(base, repeating)) {
            wide.addAdapter("second", random(2, "v_proj"), new SplittableRandom(4));
            WeightedCombination.of(CombinationType.CAT).adapter("default", 1).adapter("second", 1)
                    .addTo(wide, "both");
            LoraConversion.add(wide, "second", "converted", 2);
            for (String name : List.of("second", "both", "converted")) {
                wide.saveAdapter(name, folder.resolve(name));
                try (PeftModel loaded = PeftModel.load(base, folder.resolve(name))) {
                    assertArrayEquals(Passes.logits(wide.with(name), SEQUENCES),
                            Passes.logits(loaded, SEQUENCES));
                }
            }
        }
    }

    @Test
    void incompatibleAdaptersAreNotCombined() {
        model.addAdapter("copy", random(2, "q_proj").toBuilder().modulesToSave("lm_head").build());
        Map<String, WeightedCombination> wrong = Map.of(
                "adds matrices of equal ranks", WeightedCombination.of(CombinationType.LINEAR).adapter("a", 1)
                        .adapter("b", 1),
                "needs a density", WeightedCombination.of(CombinationType.TIES).adapter("a", 1).adapter("c", 1),
                "more than a product", WeightedCombination.of(CombinationType.CAT).adapter("a", 1).adapter("copy", 1),
                "at least one adapter", WeightedCombination.of(CombinationType.CAT),
                "unknown adapter 'd'", WeightedCombination.of(CombinationType.CAT).adapter("d", 1));
        wrong.forEach((reason, combination) -> {
            String message = assertThrows(ConfigurationException.class, () -> combination.addTo(model, "new"))
                    .getMessage();
            assertTrue(message.contains(reason), message);
        });
        assertThrows(ConfigurationException.class, () -> CombinationType.of("cut"));
        assertEquals(List.of("a", "b", "c", "copy"), model.adapterNames());
    }

    @Test
    void conversionKeepsTheOutputAndReportsItsError() {
        LoraConversion whole = LoraConversion.add(model, "a", "whole", 2);
        // The change is read off weights that are rounded to float32.
        assertTrue(whole.error() < 1e-5, whole.toString());
        assertClose(logits("a"), logits("whole"), 2e-5);
        LoraConversion half = LoraConversion.add(model, "a", "half", 1);
        double lost = 0;
        double norm = 0;
        for (int i = 0; i < model.adapter("a").layers().size(); i++) {
            LowRankUpdate expected = model.adapter("a").layers().get(i).lowRankUpdate().orElseThrow();
            double[] actual = model.adapter("half").layers().get(i).lowRankUpdate().orElseThrow().delta();
            double[] delta = expected.delta();
            for (int j = 0; j < delta.length; j++) {
                lost += Math.pow(delta[j] - actual[j], 2);
                norm += delta[j] * delta[j];
            }
        }
        assertEquals(Math.sqrt(lost / norm), half.error(), 1e-4);
        assertTrue(half.error() > 0.1, half.toString());
    }

    @Test
    void nonMatrixChangesAreNotConverted() {
        model.addAdapter("norms", random(2, "q_proj").toBuilder().modulesToSave("norm").build());
        String message = assertThrows(ConfigurationException.class,
                () -> LoraConversion.add(model, "norms", "new", 2)).getMessage();
        assertTrue(message.contains("norm"), message);
        assertEquals(List.of("a", "b", "c", "norms"), model.adapterNames());
    }

    /** And a mixture that changes from token to token is neither. */
    @Test
    void aMixtureOfAdaptersIsNeitherCombinedNorConverted(@TempDir Path folder) {
        model.saveAdapter("b", folder);
        model.addAdapter("mixture", XLoraConfig.builder().adapters(Map.of("b", folder.toString())).build());
        WeightedCombination both = WeightedCombination.of(CombinationType.CAT).adapter("b", 1).adapter("mixture", 1);
        for (Executable refused : List.<Executable>of(() -> both.addTo(model, "new"),
                () -> LoraConversion.add(model, "mixture", "new", 2))) {
            String message = assertThrows(ConfigurationException.class, refused).getMessage();
            assertTrue(message.contains("for each token"), message);
        }
        assertEquals(List.of("a", "b", "c", "mixture"), model.adapterNames());
    }

    /** Else reading would not end. */
    @Test
    void aMixtureThatNamesItselfIsRefused(@TempDir Path folder) throws IOException {
        Path part = folder.resolve("b");
        model.saveAdapter("b", part);
        model.addAdapter("mixture", XLoraConfig.builder().adapters(Map.of("b", part.toString())).build());
        Path saved = folder.resolve("mixture");
        model.saveAdapter("mixture", saved);
        Path config = saved.resolve("adapter_config.json");
        Files.writeString(config, Files.readString(config).replaceAll("(\"adapters\": *\\{[^:]*: *)\"0\"", "$1\".\""));
        String message = assertThrows(ConfigurationException.class, () -> model.loadAdapter("again", saved))
                .getMessage();
        assertTrue(message.contains("cannot be a part of one"), message);
    }
}
