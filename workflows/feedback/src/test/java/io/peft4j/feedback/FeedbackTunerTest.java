package io.peft4j.feedback;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.feedback.FeedbackTuner.HeldOut;
import io.peft4j.feedback.FeedbackTuner.TuningRound;
import io.peft4j.feedback.FeedbackTuner.TuningRound.Outcome;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.TrainingOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rounds on a random Llama of two layers, which learns a phrase and nothing else. */
class FeedbackTunerTest {
    private static final Path MODEL = Path.of("../../tests/fixtures/tiny-llama");
    private static final String RIGHT = "yes yes yes yes";
    private static final GenerationOptions BRIEF = GenerationOptions.defaults().withMaxNewTokens(4);

    @TempDir
    Path folder;
    private BaseModel base;
    private PeftModel model;
    private FeedbackStore feedback;

    @BeforeEach
    void open() {
        base = BaseModel.load(ModelLocator.fromEnvironment().locate(MODEL.toString()),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32), KernelSelection.best(1));
        model = new PeftModel(base).addAdapter("hr", LoraConfig.builder().rank(4).alpha(8)
                .targetModules(TargetModules.ALL_LINEAR).build());
        feedback = FeedbackStore.open(folder.resolve("feedback.jsonl"));
    }

    @AfterEach
    void close() {
        feedback.close();
        model.close();
        base.close();
    }

    private FeedbackTunerBuilder tuner() {
        return FeedbackTuner.builder(model, "hr", feedback, folder.resolve("versions")).generation(BRIEF).minimum(8)
                .withoutGuard();
    }

    private FeedbackTunerBuilder learning() {
        return tuner().training(TrainingOptions.of(6, 8, 3e-2));
    }

    private void correct(int questions) {
        for (int i = 0; i < questions; i++) {
            String id = feedback.answered(List.of(ChatMessage.user("Is box " + i + " ready?")), "no");
            feedback.correct(id, RIGHT);
        }
    }

    @Test
    void tooLittleFeedbackTrainsNothing() {
        correct(7);
        try (FeedbackTuner tuner = tuner().build()) {
            TuningRound round = tuner.run();

            assertEquals(Outcome.WAITING, round.outcome());
            assertEquals("version-0001", round.version().getFileName().toString());
        }
    }

    @Test
    void adapterThatIsNotBetterDoesNotAnswerAndFeedbackIsNotRetried() {
        correct(16);
        String before = model.fingerprint("hr");
        try (FeedbackTuner tuner = tuner().training(TrainingOptions.builder().epochs(1).learningRate(1e-9).build())
                .build()) {
            TuningRound round = tuner.run();

            assertEquals(Outcome.KEPT, round.outcome(), round.toString());
            assertEquals(before, model.fingerprint("hr"));
            assertTrue(round.heldOut() > 0 && round.learned() + round.heldOut() == 16, round.toString());
            assertEquals(Outcome.WAITING, tuner.run().outcome());
        }
        try (FeedbackTuner restarted = tuner().build()) {
            assertEquals(Outcome.WAITING, restarted.run().outcome());
        }
    }

    @Test
    void aBetterAdapterAnswersAndTheFormerOneAgainAfterRollingBack() {
        correct(60);
        String before = model.fingerprint("hr");
        try (FeedbackTuner tuner = learning().build()) {
            TuningRound round = tuner.run();

            assertEquals(Outcome.SWAPPED, round.outcome(), round.toString());
            assertTrue(round.toString().startsWith("swapped to version-0002: harm not known: Better on the task"),
                    round.toString());
            assertTrue(!model.fingerprint("hr").equals(before), "another adapter answers");
            try (PeftModel restarted = new PeftModel(base)) {
                restarted.loadAdapter("hr", folder.resolve("versions/version-0001"));
                FeedbackTuner.builder(restarted, "hr", feedback, folder.resolve("versions")).build().close();
                assertEquals(model.fingerprint("hr"), restarted.fingerprint("hr"), "after a restart");
            }

            assertEquals("version-0001", tuner.rollBack().getFileName().toString());
            assertEquals(before, model.fingerprint("hr"));
            assertTrue(Files.exists(folder.resolve("versions/withdrawn-0002/adapter_config.json")));
            assertTrue(assertThrows(ConfigurationException.class, tuner::rollBack).getMessage()
                    .contains("before version-0001"));
        }
    }

    @Test
    void timesOfNothingAreRefused() {
        FeedbackTunerBuilder builder = tuner();
        assertThrows(ConfigurationException.class, () -> builder.timeBudget(Duration.ZERO));
        try (FeedbackTuner tuner = builder.build()) {
            assertThrows(ConfigurationException.class, () -> tuner.every(Duration.ZERO));
        }
    }

    @Test
    void anAdapterThatLosesAGoldenQuestionDoesNotAnswer() {
        correct(60);
        String said = model.with("hr").generate("Is box 1000 there?").strip();
        String word = said.substring(0, Math.min(3, said.length()));
        try (FeedbackTuner tuner = learning().golden(List.of(EvaluationItem.fact("Is box 1000 there?", word)))
                .build()) {
            TuningRound round = tuner.run();

            assertEquals(Outcome.KEPT, round.outcome(), round.toString());
            assertEquals(List.of("Is box 1000 there?"), round.lost());
        }
    }

    @Test
    void anAdapterWhoseHarmIsNotRuledOutDoesNotAnswer() {
        correct(60);
        GuardSet few = new GuardSet(GuardSet.builtIn().items().subList(0, 4));
        try (FeedbackTuner tuner = learning().guard(few).build()) {
            TuningRound round = tuner.run();

            assertEquals(Outcome.KEPT, round.outcome(), round.toString());
            assertTrue(round.toString().contains("guard items, or train with less change") || round.toString()
                    .contains("forgot too much"), round.toString());
        }
    }

    @Test
    void whatIsHeldOutOnceIsHeldOutInAnyCaseAndSpacing() {
        int heldOut = 0;
        for (int i = 0; i < 1000; i++) {
            boolean one = HeldOut.isHeldOut(List.of(ChatMessage.user("Is box " + i + " ready?")), 0.2);
            assertEquals(one, HeldOut.isHeldOut(List.of(ChatMessage.user("is  box " + i + " READY")), 0.2));
            heldOut += one ? 1 : 0;
        }
        assertTrue(heldOut > 150 && heldOut < 250, heldOut + " of 1000");
    }
}
