package io.peft4j.train.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.Cancellation;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.runs.TrainingRecord;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sweeps over a tiny model. */
class SweepTest {
    private static final String SPACE = "{\"learning_rate\": [1e-5, 3e-2], \"rank\": [2, 4], \"dropout\": [0.0, 0.1]}";

    @TempDir
    private Path folder;

    private static TinyModel base() {
        return new TinyModel(new TinyNetwork(5, false, true), new WordTokenizer(TinyNetwork.VOCABULARY),
                new NaiveKernels());
    }

    private ChatDataset data(int rows) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < rows; i++) {
            text.append("{\"messages\": [{\"role\": \"user\", \"content\": \"").append((char) ('a' + i % 5))
                    .append("\"}, {\"role\": \"assistant\", \"content\": \"").append((char) ('a' + i % 3))
                    .append("\"}]}\n");
        }
        return ChatDataset.read(Files.writeString(folder.resolve("data" + rows + ".jsonl"), text.toString()));
    }

    private SweepBuilder sweep(TinyModel base, String space) throws IOException {
        return Sweep.of(base, LoraConfig.builder().rank(2).alpha(4).targetModules("q_proj", "v_proj").build(),
                SearchSpace.of(space, "space.json")).data(data(12)).validation(data(5))
                .trainer(model -> Trainer.builder(model).options(TrainingOptions.of(2, 4, 1e-2))
                        .schedule(LearningRateSchedule.CONSTANT));
    }

    private SweepResult run(String name, String space, UnaryOperator<SweepBuilder> more) throws IOException {
        try (TinyModel base = base()) {
            return more.apply(sweep(base, space)).run(folder.resolve(name));
        }
    }

    @Test
    void aGridIsTrainedAndTheBestIsNamed() throws IOException {
        List<Trial> told = new ArrayList<>();
        SweepResult result = run("grid", SPACE, s -> s.strategy(SearchStrategy.GRID).progress(told::add));
        assertEquals(8, result.trials().size());
        assertEquals(8, told.size());
        assertTrue(result.trials().stream().allMatch(trial -> trial.state() == Trial.State.FINISHED
                && trial.steps() == 6));
        Trial best = result.best().orElseThrow();
        assertEquals(3e-2, best.values().get("learning_rate").asDouble());
        JsonNode file = new ObjectMapper().readTree(folder.resolve("grid/sweep.json").toFile());
        assertEquals(best.name(), file.get("best").asText());
        assertEquals(8, file.get("trials").size());
        assertEquals(best.loss().orElseThrow(),
                TrainingRecord.read(result.folder(best)).last("eval_loss").orElseThrow());
        try (TinyModel base = base(); PeftModel loaded = PeftModel.load(base, result.folder(best))) {
            LoraConfig config = (LoraConfig) loaded.adapter(PeftModel.DEFAULT_ADAPTER).config();
            assertEquals(best.values().get("rank").asInt(), config.rank());
        }
        String page = Files.readString(folder.resolve("grid/sweep.html"));
        assertTrue(page.contains("is that of " + best.name()) && page.contains("trial-008"));
        assertTrue(result.table().lines().toList().get(1).startsWith(best.name()), result.table());
        assertEquals(9, result.table().lines().count());
    }

    /** Side by side, and what has dropout alone, gives what one after the other gives. */
    @Test
    void trialsSideBySideAreThoseOfOneAfterTheOther() throws IOException {
        SweepResult together = run("together", SPACE, s -> s.strategy(SearchStrategy.GRID).sideBySide(8));
        SweepResult alone = run("alone", SPACE, s -> s.strategy(SearchStrategy.GRID).sideBySide(1));
        for (int i = 0; i < 8; i++) {
            assertEquals(alone.trials().get(i).values(), together.trials().get(i).values());
            assertEquals(1, together.trials().get(i).loss().orElseThrow()
                    / alone.trials().get(i).loss().orElseThrow(), 1e-4);
        }
    }

    @Test
    void aStoppedSweepGoesOnAndEqualsOneThatWasNot() throws IOException {
        UnaryOperator<SweepBuilder> plan = s -> s.strategy(SearchStrategy.RANDOM).trials(7).sideBySide(2).seed(4);
        SweepResult whole = run("whole", SPACE, plan);
        Cancellation cancellation = new Cancellation();
        SweepResult stopped = run("stopped", SPACE, s -> plan.apply(s).cancellation(cancellation)
                .progress(trial -> {
                    if (trial.number() == 3) {
                        cancellation.cancel();
                    }
                }));
        assertTrue(stopped.trials().size() < 7);
        SweepResult resumed = run("stopped", SPACE, s -> plan.apply(s).resume(true));
        assertEquals(whole.trials().stream().map(Trial::values).toList(),
                resumed.trials().stream().map(Trial::values).toList());
        for (int i = 0; i < 7; i++) {
            assertEquals(1, resumed.trials().get(i).loss().orElseThrow()
                    / whole.trials().get(i).loss().orElseThrow(), 1e-4);
        }
    }

    @Test
    void aTrialThatWasSavedBeforeTheKillIsNotTrainedAgain() throws IOException {
        UnaryOperator<SweepBuilder> plan = s -> s.strategy(SearchStrategy.RANDOM).trials(2).sideBySide(1);
        SweepResult whole = run("killed", SPACE, plan);
        Path file = folder.resolve("killed/sweep.json");
        // As it was written before the second trial began.
        Files.writeString(file, Files.readString(file).replaceFirst("(?s)(\"number\" : 2,\\s+\"state\" : )\"finished\"",
                "$1\"open\""));
        SweepResult resumed = run("killed", SPACE, s -> plan.apply(s).resume(true));
        assertEquals(whole.trials().get(1).loss(), resumed.trials().get(1).loss());
        assertEquals(whole.trials().get(1).state(), resumed.trials().get(1).state());
    }

    @Test
    void halvingDropsTheWorseAndFinishesTheBest() throws IOException {
        SweepResult result = run("halving", "{\"learning_rate\": [1e-6, 1e-5, 1e-3, 3e-2]}",
                s -> s.strategy(SearchStrategy.GRID).halving(2));
        assertEquals(List.of(Trial.State.DROPPED, Trial.State.DROPPED, Trial.State.DROPPED, Trial.State.FINISHED),
                result.trials().stream().map(Trial::state).toList());
        // Of 6 steps a quarter, a half and all.
        assertEquals(List.of(2L, 2L, 3L, 6L), result.trials().stream().map(Trial::steps).toList());
        SweepResult all = run("all", "{\"learning_rate\": [1e-6, 1e-5, 1e-3, 3e-2]}",
                s -> s.strategy(SearchStrategy.GRID));
        assertEquals(1, result.best().orElseThrow().loss().orElseThrow()
                / all.best().orElseThrow().loss().orElseThrow(), 1e-4);
    }

    @Test
    void aTrialThatFailsIsListedAndTheOthersGoOn() throws IOException {
        SweepResult result = run("failing", "{\"target_modules\": [[\"q_proj\"], [\"no_such_layer\"]]}",
                s -> s.strategy(SearchStrategy.GRID));
        assertEquals(List.of(Trial.State.FINISHED, Trial.State.FAILED),
                result.trials().stream().map(Trial::state).toList());
        assertTrue(result.trials().get(1).message().orElseThrow().contains("no_such_layer"));
    }

    @Test
    void withoutValidationDataATenthIsHeldBack() throws IOException {
        try (TinyModel base = base()) {
            SweepResult result = Sweep.of(base, LoraConfig.builder().rank(2).targetModules("q_proj").build(),
                    SearchSpace.of("{\"seed\": [1, 2]}", "s")).data(data(20)).strategy(SearchStrategy.GRID)
                    .run(folder.resolve("held"));
            assertEquals(18, TrainingRecord.read(result.folder(result.trials().get(0))).info().plan().get("examples"));
        }
    }

    @Test
    void whatDoesNotGoWithTheSpaceOrTheFolderIsRefused() throws IOException {
        assertMessage("the space of the sweep has the unknown option \"learning_rat\"; the nearest of",
                "{\"learning_rat\": [1]}", s -> s);
        assertMessage("the space of the sweep: \"epochs\": 1.5: must be a whole number", "{\"epochs\": [1.5]}", s -> s);
        assertMessage("the learning rate is 2.0; it must be above 0", "{\"learning_rate\": [2.0]}", s -> s);
        assertMessage("there is no sweep in", SPACE, s -> s.resume(true));
        run("there", "{\"seed\": [1, 2]}", s -> s.strategy(SearchStrategy.GRID));
        assertMessage(folder.resolve("there") + " holds a sweep already", "{\"seed\": [1, 2]}", s -> s);
        assertMessage("the sweep in " + folder.resolve("there") + " cannot be resumed: strategy is random",
                "{\"seed\": [1, 2]}", s -> s.strategy(SearchStrategy.RANDOM).resume(true));
        assertMessage("the sweep in " + folder.resolve("there") + " cannot be resumed: trainer.epochs is 9",
                "{\"seed\": [1, 2]}", s -> s.strategy(SearchStrategy.GRID)
                        .trainer(model -> Trainer.builder(model).options(TrainingOptions.of(9, 8, 2e-4)))
                        .resume(true));
        assertFalse(Files.exists(folder.resolve("nothing")));
    }

    private void assertMessage(String begin, String space, UnaryOperator<SweepBuilder> more) {
        String message = assertThrows(ConfigurationException.class, () -> run("there", space, more)).getMessage();
        assertTrue(message.startsWith(begin), message);
    }
}
