package io.peft4j.train.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.FolderLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Output folders of trainings, read back and shown. */
class TrainingPageTest {
    private static final String ATTACK = "<script>alert(1)</script>";
    private static final List<String> LINES = List.of(
            "{\"step\":0,\"epoch\":0.0,\"eval_loss\":2.75}",
            line(1, 3.125), line(2, 1.5), line(3, 1.75),
            "{\"step\":3,\"epoch\":1.0,\"eval_loss\":1.625}");

    @TempDir
    private Path folder;

    private static String line(int step, double loss) {
        return "{\"step\":" + step + ",\"epoch\":" + step / 4.0 + ",\"train_loss\":" + loss + ",\"learning_rate\":"
                + 0.001 * step + ",\"grad_norm\":0.5,\"tokens\":" + 100 * step + ",\"supervised_tokens\":40,"
                + "\"tokens_per_s\":" + 50.0 * step + "}";
    }

    static RunInfo running(String rate) {
        Map<String, Long> plan = new LinkedHashMap<>();
        plan.put("examples", 12L);
        plan.put("left_out", 2L);
        plan.put("total_steps", 4L);
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("learning_rate", rate);
        settings.put("objective", "next token");
        settings.put("examples", "ab".repeat(32));
        settings.put("rank_pattern", "{}");
        return RunInfo.running(plan, settings);
    }

    @BeforeEach
    void write() throws IOException {
        Files.write(folder.resolve("metrics.jsonl"), LINES);
    }

    private String page() {
        return new TrainingPage(TrainingRecord.read(folder)).html();
    }

    private static void assertHas(String page, String... texts) {
        for (String text : texts) {
            assertTrue(page.contains(text), () -> text + " in " + page.substring(page.indexOf("<main>")));
        }
    }

    @Test
    void theFolderIsReadBack() {
        running("0.01").withState(RunInfo.State.STOPPED_EARLY).withBestStep(OptionalLong.of(2))
                .withWarnings(List.of("update 2: mind")).withSeconds(12.5)
                .withPeakResidentBytes(OptionalLong.of(2_000_000_000L)).write(folder);
        TrainingRecord run = TrainingRecord.read(folder);
        assertEquals(folder.getFileName().toString(), run.name());
        assertEquals(RunInfo.State.STOPPED_EARLY, run.info().state());
        assertEquals(List.of("update 2: mind"), run.info().warnings());
        assertEquals(OptionalLong.of(2), run.info().bestStep());
        assertHas(page(), "<h1>Stopped early</h1>", "<li>update 2: mind</li>", "that of step 2, where the validation");
        assertEquals(running("0.01").settings(), run.info().settings());
        assertEquals(running("0.01").plan(), run.info().plan());
        assertEquals(3, run.steps());
        assertEquals(OptionalLong.of(4), run.totalSteps());
        assertEquals(OptionalDouble.of(1.75), run.last("train_loss"));
        assertEquals(OptionalDouble.of(1.625), run.last("eval_loss"));
        assertEquals(OptionalDouble.empty(), run.last("accuracy"));
        assertEquals(new MetricSeries("eval_loss", new long[] {0, 3}, new double[] {2.75, 1.625}, 0),
                run.metrics().get("eval_loss"));
        assertEquals(OptionalDouble.of(100), run.tokensPerSecond(), "600 tokens in three times 2 s");
    }

    @Test
    void thePageTellsHowItEndedAndWhatItReached() {
        running("0.01").withState(RunInfo.State.STOPPED).withSeconds(125)
                .withPeakResidentBytes(OptionalLong.of(1_834_567_890L)).write(folder);
        String page = page();
        assertHas(page, "<h1>Stopped</h1>", "3 of 4 steps in 2 min 5 s, loss 3.125 to 1.75, validation loss 2.75 to "
                + "1.625.", "1.83 GB", "100 tokens a second", "training: first 3.125, lowest 1.5 at step 2, last 1.75",
                "validation: first 2.75, lowest 1.625 at step 3, last 1.625", "<h2>Loss</h2>",
                "<h3>Learning rate</h3>", "<h3>Gradient norm, before clipping</h3>", "<h3>Tokens a second</h3>",
                "validation, step 3: 1.625", "<dt>examples</dt><dd>12</dd>",
                "<dd>2, too long or without a supervised token</dd>", "<dt>learning_rate</dt><dd>0.01</dd>",
                "<dd>abababababab</dd>", "Empty ones are not shown: 1;");
        assertFalse(page.contains("rank_pattern"), "what is not set is left out");
    }

    @Test
    void otherMetricsAreShownUnderTheirOwnNames() throws IOException {
        Files.write(folder.resolve("metrics.jsonl"), List.of("{\"step\":1,\"rewards_margin\":0.25}",
                "{\"step\":2,\"rewards_margin\":0.5,\"eval_accuracy\":0.75,\"train_accuracy\":0.5}"));
        assertHas(page(), "<h2>rewards margin</h2>", "first 0.25, lowest 0.25 at step 1, last 0.5",
                "<h2>accuracy</h2>", "training: first 0.5", "validation: first 0.75");
    }

    @Test
    void hostileNamesStayText() throws IOException {
        RunInfo.running(Map.of(ATTACK, 1L), Map.of(ATTACK, ATTACK, "objective", ATTACK)).withState(RunInfo.State.FAILED)
                .withFailure(ATTACK)
                .withWarnings(List.of(ATTACK)).write(folder);
        Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":1,\"" + ATTACK + "\":1}\n");
        TrainingRecord run = TrainingRecord.read(folder).named(ATTACK);
        String page = new TrainingPage(run).html();
        String comparison = new RunComparison(List.of(run, run)).html();
        for (String html : List.of(page, comparison)) {
            assertFalse(html.contains("<script"), html);
            assertHas(html, "&lt;script&gt;alert(1)&lt;/script&gt;");
        }
    }

    @Test
    void aTrainingThatIsGoneIsInterruptedAndOneThatHoldsItsFolderRuns() {
        running("0.01").write(folder);
        assertEquals(RunInfo.State.INTERRUPTED, TrainingRecord.read(folder).info().state());
        assertHas(page(), "<h1>Interrupted</h1>", "it can be resumed");
        try (FolderLock lock = FolderLock.take(folder)) {
            assertEquals(RunInfo.State.RUNNING, TrainingRecord.read(folder).info().state());
            assertHas(page(), "<h1>Running</h1>");
        }
    }

    @Test
    void metricsAloneAreEnough() {
        assertEquals(RunInfo.State.UNKNOWN, TrainingRecord.read(folder).info().state());
        assertHas(page(), "3 steps, loss 3.125 to 1.75");
    }

    @Test
    void damagedLinesAndValuesAreCountedAndAHalfWrittenLastLineIsNot() throws IOException {
        Files.writeString(folder.resolve("metrics.jsonl"), LINES.get(1) + "\n{\"step\":\nnull\n[1]\n"
                + "{\"step\":2,\"train_loss\":\"NaN\"}\n{\"step\":3,\"train_loss\":1e999}\n{\"step\":4,\"train_l");
        TrainingRecord run = TrainingRecord.read(folder);
        assertEquals(3, run.unreadable());
        assertEquals(2, run.metrics().get("train_loss").noNumbers());
        assertEquals(1, run.metrics().get("train_loss").steps().length);
        assertHas(page(), "Damaged lines of metrics.jsonl that are left out: 3.",
                "Values of train_loss that are infinite or no numbers: 2.");
    }

    @Test
    void aFolderWithoutATrainingIsRefused() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertEquals("no training in " + empty + ": it has no metrics.jsonl; give the output folder of a training",
                assertThrows(ConfigurationException.class, () -> TrainingRecord.read(empty)).getMessage());
        assertTrue(assertThrows(ConfigurationException.class, () -> TrainingRecord.read(folder.resolve("x")))
                .getMessage().contains("there is no such folder"));
        Files.writeString(folder.resolve("run.json"), "{\"state\":\"finnished\"}");
        assertTrue(assertThrows(FileFormatException.class, () -> TrainingRecord.read(folder)).getMessage()
                .contains("has the state 'finnished'; the nearest of 8 are 'finished'"));
    }

    /** Whatever is in the files, there is a page or an error that says what is wrong. */
    @Test
    void mutatedFilesGiveAPageOrAnError() throws IOException {
        running("0.01").withState(RunInfo.State.FINISHED).write(folder);
        byte[] info = Files.readAllBytes(folder.resolve("run.json"));
        byte[] metrics = Files.readAllBytes(folder.resolve("metrics.jsonl"));
        SplittableRandom random = new SplittableRandom(5);
        int pages = 0;
        for (int i = 0; i < 300; i++) {
            Files.write(folder.resolve("run.json"), mutated(info, i % 2, random));
            Files.write(folder.resolve("metrics.jsonl"), mutated(metrics, 3, random));
            try {
                assertTrue(page().endsWith("</html>\n"));
                pages++;
            } catch (PeftException | UncheckedIOException e) {
                assertFalse(e.getMessage().isBlank());
            }
        }
        assertTrue(pages >= 150, "pages: " + pages);
    }

    private static byte[] mutated(byte[] bytes, int changes, SplittableRandom random) {
        byte[] copy = bytes.clone();
        byte[] signs = "{}[]\",:0-9e\n\u00e9".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < changes; i++) {
            copy[random.nextInt(copy.length)] = random.nextBoolean() ? (byte) random.nextInt(256)
                    : signs[random.nextInt(signs.length)];
        }
        return copy;
    }
}
