package io.peft4j.train.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RunComparisonTest {
    private static TrainingRecord run(String name, double loss, Map<String, String> settings) {
        RunInfo info = RunInfo.running(Map.of("total_steps", 2L), settings)
                .withState(RunInfo.State.FINISHED).withSeconds(61).withPeakResidentBytes(OptionalLong.empty());
        MetricSeries train = new MetricSeries("train_loss", new long[] {1, 2}, new double[] {3, loss}, 0);
        MetricSeries eval = new MetricSeries("eval_loss", new long[] {0, 2}, new double[] {2.5, loss + 0.25}, 0);
        return new TrainingRecord(name, info, Map.of("train_loss", train, "eval_loss", eval), 0, Optional.empty());
    }

    private static Map<String, String> settings(String rate) {
        return Map.of("learning_rate", rate, "batch_size", "8");
    }

    @Test
    void aLineARunTheValuesAtTheEndAndTheSettingsThatDiffer() {
        RunComparison comparison = new RunComparison(List.of(run("a", 1.5, settings("0.01")),
                run("b", 1.25, settings("0.02")), run("a", 2, settings("0.01"))));
        assertEquals(Map.of("learning_rate", List.of("0.01", "0.02", "0.01")), comparison.differences());
        assertEquals("b", comparison.lowestEvalLoss().orElseThrow().name());
        String page = comparison.html();
        for (String text : List.of("The lowest validation loss at the end is that of b, finished: 1.5.",
                "<h2>Training loss</h2>", "<h2>Validation loss</h2>", "<td>1.25</td>", "<td>1 min 1 s</td>",
                "<span class=\"key c2\"></span>a (2)", "class=\"series c1\"")) {
            assertTrue(page.contains(text), () -> text + " in " + page.substring(page.indexOf("<main>")));
        }
        String values = page.substring(page.indexOf("Settings that differ"));
        assertTrue(values.contains("<b>0.01</b><ul class=\"legend\"><li><span class=\"key c0\"></span>a</li>"
                + "<li><span class=\"key c2\"></span>a (2)</li></ul><b>0.02</b>"), values);
        assertFalse(values.contains("batch_size"), "what is the same is not shown");
    }

    @Test
    void trainingsThatDifferInTheirSeedHaveAMeanAndASpread() {
        RunComparison comparison = new RunComparison(List.of(run("a", 1, seed("1", "0.01")),
                run("b", 2, seed("2", "0.01")), run("c", 9, seed("1", "0.02"))));
        assertEquals(List.of(List.of("a", "b")), comparison.seedGroups().stream().map(SeedGroup::names).toList());
        SeedGroup.Spread spread = comparison.seedGroups().get(0).spreads().get("train_loss");
        assertEquals(new SeedGroup.Spread(1.5, Math.sqrt(0.5), 1, 2), spread);
        String page = comparison.html();
        List<Integer> places = Stream.of("<h2>Over 2 seeds</h2>", "<h2>Where they ended</h2>", "<h2>Training loss</h2>",
                "<h2>Settings that differ</h2>").map(page::indexOf).toList();
        assertEquals(places.stream().sorted().toList(), places);
        assertTrue(places.get(0) > 0, page);
    }

    private static Map<String, String> seed(String seed, String rate) {
        return Map.of("seed", seed, "learning_rate", rate);
    }

    @Test
    void onlySettingsThatDifferInMeaningAreTold() {
        String[] hashes = {"a".repeat(64), "b".repeat(64)};
        Map<String, String> lora = Map.of("peft_type", "\"LORA\"", "lora_alpha", "16", "bias", "\"none\"", "eva_config",
                "null", "trainable_parameters", hashes[0], "base_weights", hashes[0]);
        Map<String, String> ia3 = Map.of("peft_type", "\"IA3\"", "feedforward_modules", "[]", "bias", "null",
                "trainable_parameters", hashes[1], "base_weights", hashes[1]);
        RunComparison comparison = new RunComparison(List.of(counted("a", 5000, lora), counted("b", 70, ia3)));
        assertEquals(Map.of("peft_type", List.of("LORA", "IA3"), "trainable_parameters", List.of("5,000", "70"),
                "base_weights", List.of("aaaaaaaaaaaa", "bbbbbbbbbbbb")), comparison.differences());
        // Other parameters of the same number.
        assertEquals(List.of("70 (aaaaaaaaaaaa)", "70 (bbbbbbbbbbbb)"), new RunComparison(List.of(
                counted("a", 70, lora), counted("b", 70, ia3))).differences().get("trainable_parameters"));
    }

    private static TrainingRecord counted(String name, long parameters, Map<String, String> settings) {
        return new TrainingRecord(name, RunInfo.running(Map.of("trainable_parameters", parameters), settings),
                Map.of(), 0, Optional.empty());
    }

    @Test
    void lossesOnOtherValidationDataAreNotCompared() {
        String page = new RunComparison(List.of(run("a", 1, Map.of("validation", "x")),
                run("b", 1, Map.of("validation", "y")))).html();
        assertTrue(page.contains("Not all were measured on the same validation data"), page);
    }

    @Test
    void trainingsWithoutSettingsAreNamed() {
        TrainingRecord old = new TrainingRecord("old", RunInfo.unknown(), Map.of(), 0, Optional.empty());
        RunComparison comparison = new RunComparison(List.of(old, run("a", 1, settings("0.01"))));
        assertEquals(Map.of(), comparison.differences());
        assertEquals(OptionalDouble.empty(), old.last("train_loss"));
        assertTrue(comparison.html().contains("The settings of these are not known: old."));
    }

    @Test
    void oneTrainingIsNoComparison() {
        assertEquals("a comparison needs at least 2 trainings, got 1", assertThrows(ConfigurationException.class,
                () -> new RunComparison(List.of(run("a", 1, Map.of())))).getMessage());
    }
}
