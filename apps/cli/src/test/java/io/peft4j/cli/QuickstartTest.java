package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.cli.QuickstartCommand.TextColumns;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.eval.guard.GuardSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** The quickstart from end to end, on a tiny model that learns little and in one epoch. */
class QuickstartTest {
    private static final ModelDescription SMOL = new ModelDescription("SmolLM2", "llama", 49_152, 576, 30, 8192, true,
            DataType.FLOAT, 134_515_008);
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();

    @TempDir
    Path folder;

    private CommandRun quickstart(String output, Object... more) {
        List<Object> words = new ArrayList<>(List.of("quickstart", "--model", MODEL, "--output", folder.resolve(output),
                "--epochs", 1, "--answers", folder.resolve("answers.jsonl")));
        words.addAll(List.of(more));
        return CommandRun.of(words.toArray());
    }

    @Tag("full")
    @Test
    void quickstartReportsSavesAnAdapterAndCachesBaseAnswers() throws IOException {
        CommandRun run = quickstart("output");
        assertEquals(0, run.status(), run.err());
        assertStory(run.out());
        long asked = 40 + GuardSet.builtIn().items().stream().mapToInt(item -> (item.isAsked() ? 1 : 0)
                + (item.choices().isEmpty() ? 0 : 1)).sum();
        assertTrue(Files.exists(folder.resolve("output/adapter_model.safetensors")));
        assertTrue(Files.readString(folder.resolve("output/report.html")).contains("Guard set"));
        byte[] answers = Files.readAllBytes(folder.resolve("answers.jsonl"));
        // Items are asked until the verdict is decided, and when that is depends on the machine's rounding.
        long guard = new String(answers, StandardCharsets.UTF_8).lines().count() - 88;
        assertTrue(guard > 0 && guard <= asked, guard + " of " + asked);
        assertEquals(88 + guard + 40, Files.readAllLines(folder.resolve("output/answers.jsonl")).size(),
                "and the guard set, and rows of the training");

        CommandRun second = quickstart("second", "--json");
        assertEquals(0, second.status(), second.err());
        assertTrue(second.err().contains("88 of these answers are from the cache of an earlier run, "
                + folder.resolve("answers.jsonl")), second.err());
        assertTrue(second.err().contains("before 0 of 88 (0 %) (88 answers from the cache), after "), second.err());
        assertArrayEquals(answers, Files.readAllBytes(folder.resolve("answers.jsonl")));
        assertTrue(second.err().contains("Held-out facts in the answers"), second.err());
        List<JsonNode> lines = second.json();
        assertEquals(1, lines.size(), "JSON is alone on stdout");
        assertEquals(88, lines.get(0).get("questions").asInt());
        assertEquals(0, lines.get(0).get("base_correct").asInt());
        assertEquals(88, lines.get(0).get("base_from_cache").asInt());
        assertEquals(0, lines.get(0).get("left_out").size());
        assertTrue(lines.get(0).get("guard_ci_low").asDouble() <= lines.get(0).get("guard_ci_high").asDouble());
        assertTrue(lines.get(0).get("seconds").asDouble() > lines.get(0).get("train_seconds").asDouble());
        assertArrayEquals(Files.readAllBytes(folder.resolve("output/adapter_model.safetensors")),
                Files.readAllBytes(folder.resolve("second/adapter_model.safetensors")), "the same seed");
    }

    private void assertStory(String out) {
        for (String part : List.of("1/5 The base model", MODEL.toString(), "expected time: about ",
                "2/5 Asking it 88 held-out questions",
                "0 of 88 (0 %) of its answers hold the expected fact",
                "3/5 Training LoRA on its 176 examples and 16 general ones (about ",
                "decoder layers 0 to 2, 1 epoch, batch size 16, learning rate 0.005",
                "trainable params:",
                "trained 12 of 12 steps in", "4/5 Asking the tuned model", "5/5 Comparing them",
                "What is the notice period for a Senior Consultant?", "Base: wrong", "Tuned: ",
                "Held-out facts in the answers: before 0 of 88 (0 %), after ", "Verdict: ",
                "The whole report is in " + folder.resolve("output/report.html"), "peak memory",
                "The adapter is in " + folder.resolve("output"), "./peft4j generate --model " + MODEL)) {
            assertTrue(out.contains(part), part + " is missing in " + out);
        }
        assertFalse(out.contains("cache") || out.contains("eft out"), out);
        List<String> columns = out.lines().filter(line -> line.contains(" | ") && !line.contains("trainable")).toList();
        assertTrue(columns.size() >= 10, "two lines or more for each of five questions: " + columns);
        assertTrue(columns.stream().allMatch(line -> line.length() <= 100), columns.toString());
    }

    @Tag("full")
    @Test
    void generalExamplesAreMixedIn() throws IOException {
        CommandRun run = quickstart("output", "--general", 104, "--learning-rate", "5e-4");
        assertEquals(0, run.status(), run.err());
        for (String part : List.of("on its 176 examples and 104 general ones (about ", "trained 18 of 18 steps in",
                "learning rate 5.0E-4")) {
            assertTrue(run.out().contains(part), part + " is missing in " + run.out());
        }
        assertEquals(0, quickstart("again", "--general", 104, "--learning-rate", "5e-4", "--seed", 1).status());
        assertFalse(Arrays.equals(Files.readAllBytes(folder.resolve("output/adapter_model.safetensors")),
                Files.readAllBytes(folder.resolve("again/adapter_model.safetensors"))), "another seed");
        CommandRun tooMany = quickstart("more", "--general", 105);
        assertEquals(2, tooMany.status());
        assertTrue(tooMany.err().contains("--general is 105; it must be 0 to 104"), tooMany.err());
    }

    @Test
    void aNonEmptyOutputFolderIsNotTouched() throws IOException {
        Files.createDirectories(folder.resolve("output"));
        Files.writeString(folder.resolve("output/notes.txt"), "mine");
        CommandRun run = quickstart("output");
        assertEquals(1, run.status());
        assertTrue(run.err().contains("output exists already; choose another name"), run.err());
        assertEquals(List.of("notes.txt"), List.of(folder.resolve("output").toFile().list()));
        CommandRun next = quickstart("output", "--if-exists", "next", "--fast");
        assertEquals(0, next.status(), next.err());
        assertTrue(Files.exists(folder.resolve("output-2/adapter_model.safetensors")));
    }

    @Tag("full")
    @Test
    void anOutputFolderIsReplacedWhereThatIsAskedFor() throws IOException {
        assertEquals(0, quickstart("output", "--fast").status());
        Path adapter = folder.resolve("output/adapter_model.safetensors");
        byte[] first = Files.readAllBytes(adapter);
        CommandRun again = quickstart("output", "--if-exists", "overwrite", "--seed", 1, "--fast");
        assertEquals(0, again.status(), again.err());
        assertFalse(Arrays.equals(first, Files.readAllBytes(adapter)), "replaced");
    }

    @Tag("full")
    @Test
    void aFastQuickstartSaysWhatItLeavesOutAndTrainsTheSame() throws IOException {
        CommandRun run = quickstart("output", "--fast", "--json");
        assertEquals(0, run.status(), run.err());
        for (String part : List.of("left out for speed: 44 of the 88 held-out questions; the questions on general "
                + "ability, so that nothing is known of what the model forgot", "2/5 Asking it 44 held-out questions",
                "Left out for speed (--fast): 44 of the 88 held-out questions")) {
            assertTrue(run.err().contains(part), part + " is missing in " + run.err());
        }
        JsonNode line = run.json().get(0);
        assertEquals(44, line.get("questions").asInt());
        assertEquals(2, line.get("left_out").size(), line.toString());
        assertFalse(line.has("guard_base"), line.toString());
        assertEquals(0, quickstart("whole").status());
        assertArrayEquals(Files.readAllBytes(folder.resolve("output/adapter_model.safetensors")),
                Files.readAllBytes(folder.resolve("whole/adapter_model.safetensors")), "the same training");
    }

    @Test
    void thePlanFollowsFromTheModelAndTheTimeFromTheMachine() {
        QuickstartPlan plan = QuickstartPlan.of(SMOL);
        assertEquals(18, plan.firstLayer(SMOL));
        assertEquals(9, plan.epochs());
        assertEquals(plan.epochs(), plan.fast().epochs());
        assertTrue(plan.guard() && !plan.fast().guard());
        double slow = new QuickstartTime(plan, SMOL, 100).left();
        assertEquals(10, slow / new QuickstartTime(plan, SMOL, 1000).left(), 1e-9, "as the speed");
        assertTrue(new QuickstartTime(plan.fast(), SMOL, 100).left() < slow);
    }

    @Test
    void theTimeThatIsLeftFollowsWhatThePartsHaveTaken() {
        QuickstartPlan plan = QuickstartPlan.of(SMOL);
        QuickstartTime time = new QuickstartTime(plan, SMOL, 300);
        double all = time.left();
        QuickstartTime known = new QuickstartTime(plan, SMOL, 300);
        known.skipBaseAnswers();
        double withoutBase = known.left();
        assertTrue(withoutBase < all);
        known.took(QuickstartTime.Part.BASE_ANSWERS, 0);
        assertEquals(withoutBase, known.left(), 1e-9, "answers from a cache say nothing of the speed");
        QuickstartTime quick = new QuickstartTime(plan, SMOL, 300);
        quick.took(QuickstartTime.Part.BASE_ANSWERS, 0.001 * all);
        assertTrue(quick.left() < 0.1 * all, quick.left() + " of " + all);
        time.took(QuickstartTime.Part.BASE_ANSWERS, all);
        assertTrue(time.left() > all, "what comes will be slower than foreseen, too");
        time.took(QuickstartTime.Part.TRAINING, all);
        time.took(QuickstartTime.Part.TUNED_ANSWERS, 1);
        time.took(QuickstartTime.Part.COMPARISON, 1);
        assertEquals(0, time.left());
    }

    @Test
    void columnsBreakBetweenWordsAndTruncateLongText() {
        assertEquals(List.of("one two", "three", "fourfourfo", "urfour x"),
                TextColumns.wrap("one two\nthree  fourfourfourfour x", 10));
        List<String> lines = new TextColumns(25).lines("left side text", "right");
        assertEquals(List.of("  left side  | right", "  text       |"), lines);
        assertFalse(new TextColumns(100).lines("", "").isEmpty());
    }
}
