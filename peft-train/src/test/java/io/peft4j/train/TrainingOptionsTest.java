package io.peft4j.train;

import static io.peft4j.train.Runs.assertMessage;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.data.Masking;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.lora.LoraPlus;
import io.peft4j.train.optimizer.Lion;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What a training is asked for, as one value. */
class TrainingOptionsTest {
    /** None of its values is the default. */
    private static final TrainingOptions ALL_OTHER = TrainingOptions.builder().epochs(5).batchSize(4)
            .gradientAccumulation(3).learningRate(0.01).schedule(LearningRateSchedule.COSINE).warmupSteps(2)
            .weightDecay(0.1).maxGradNorm(0.5).seed(7).shuffle(false).packing(PackOptions.Strategy.BEST_FIT)
            .packTokens(90).sharePrefixes(false).recompute(true).optimizer(Lion.DEFAULT)
            .parameterGroup(ParameterGroup.of("lora_B:weight-decay=0")).neftuneAlpha(5).labelSmoothing(0.1).maxSteps(20)
            .evaluateEverySteps(6).earlyStopping(2, 0.25).timeBudget(Duration.ofHours(1)).updateRule(new LoraPlus(16))
            .maxLength(50).masking(Masking.ALL).freezeLower(3).profile(true).build();

    @Test
    void aBuilderSetsAndKeepsEachValue() throws ReflectiveOperationException {
        TrainingOptions copy = Trainer.builder(new Tiny().model).options(ALL_OTHER).chosen();
        for (RecordComponent component : TrainingOptions.class.getRecordComponents()) {
            Object value = component.getAccessor().invoke(ALL_OTHER);
            assertNotEquals(component.getAccessor().invoke(TrainingOptions.defaults()), value, component.getName());
            assertEquals(value, component.getAccessor().invoke(copy), component.getName());
        }
        assertEquals(ALL_OTHER, copy.toBuilder().build());
    }

    /** Checkpoints of all versions have these names and words in this order. */
    @Test
    void settingsKeepTheirNamesInCheckpoints() {
        assertEquals("{epochs=auto, batch_size=auto, gradient_accumulation=auto, learning_rate=auto, "
                + "schedule=warmup-stable-decay=0.3, warmup_steps=auto, weight_decay=0.0, max_grad_norm=1.0, seed=0, "
                + "shuffle=true, packing=in-order, pack_tokens=0, share_prefixes=true, optimizer="
                + TrainingOptions.defaults().optimizer() + ", update_rule=plain, learned_share=auto}",
                TrainingOptions.defaults().settings().toString());
        assertEquals("{epochs=5, batch_size=4, gradient_accumulation=3, learning_rate=0.01, schedule=cosine, "
                + "warmup_steps=2, weight_decay=0.1, max_grad_norm=0.5, seed=7, shuffle=false, packing=best-fit, "
                + "pack_tokens=90, share_prefixes=false, optimizer=" + Lion.DEFAULT + ", parameter_groups="
                + ALL_OTHER.parameterGroups() + ", neftune_alpha=5.0, label_smoothing=0.1, max_steps=20, "
                + "evaluate_every_steps=6, early_stopping=2 without 0.25, keep_best=true, update_rule="
                + new LoraPlus(16).describe() + ", freeze_lower=3}", ALL_OTHER.settings().toString());
    }

    @Test
    void wordsSetOptionsByTheirNames() {
        assertTrue(TrainingOptions.names().contains("max_grad_norm"), TrainingOptions.names().toString());
        TrainingOptions read = TrainingOptions.builder().option("epochs", "3").option("learning_rate", "1e-3")
                .option("seed", "9").option("schedule", "cosine").option("optimizer", "lion")
                .option("packing", "best-fit").option("max_grad_norm", "0.5").build();
        assertEquals(TrainingOptions.builder().epochs(3).learningRate(1e-3).seed(9).maxGradNorm(0.5)
                .schedule(LearningRateSchedule.COSINE).optimizer(Lion.DEFAULT).packing(PackOptions.Strategy.BEST_FIT)
                .build(), read);
        assertMessage("must be a whole number", () -> TrainingOptions.builder().option("epochs", "1.5"));
        assertMessage("must be a number", () -> TrainingOptions.builder().option("weight_decay", "x"));
        assertMessage("there is no option 'masking'", () -> TrainingOptions.builder().option("masking", "all"));
        assertThrows(NullPointerException.class, () -> TrainingOptions.builder().schedule(null));
    }

    @Test
    void aLongNumberIsReadFromAWord() {
        TrainingOptions read = TrainingOptions.builder().option("seed", "3000000000").option("max-steps", "5e9")
                .option("eval_steps", "4000000000").build();
        assertEquals(TrainingOptions.builder().seed(3_000_000_000L).maxSteps(5_000_000_000L)
                .evaluateEverySteps(4_000_000_000L).build(), read);
        assertMessage("must be a whole number: '3000000000' is more than 2147483647",
                () -> TrainingOptions.builder().option("epochs",
                        "3000000000"));
    }

    @Test
    void wordsSetFlagsListsAndTimes() {
        TrainingOptions read = TrainingOptions.builder().option("no-shuffle", "true").option("learn", "last-turn")
                .option("parameter-group", "lora_A:weight-decay=0").option("parameter-group", "lora_B:learning-rate=1")
                .option("time-budget", "1.5").option("epochs", "auto").build();
        assertEquals(TrainingOptions.builder().shuffle(false).masking(Masking.LAST_TURN)
                .parameterGroup(ParameterGroup.of("lora_A:weight-decay=0"))
                .parameterGroup(ParameterGroup.of("lora_B:learning-rate=1")).timeBudget(Duration.ofMillis(1500))
                .build(), read);
        assertMessage("must be true or false", () -> TrainingOptions.builder().option("keep-best", "perhaps"));
    }

    /** What is declared once reaches the name, the default, the range and the words of its refusal. */
    @Test
    void anOptionIsDeclaredAtItsComponent() {
        for (TrainingOptions.Declared option : TrainingOptions.declared()) {
            String usual = option.usual();
            if (!usual.isEmpty() && option.type() != boolean.class) {
                assertEquals(TrainingOptions.defaults(), TrainingOptions.builder().option(option.name(), usual).build(),
                        option.name());
            }
        }
        assertMessage("the patience is -1; it must be 0 (never stop early) or more",
                () -> TrainingOptions.builder().patience(-1).build());
        assertMessage("the label smoothing is 1.0; it must be from 0 (none) to below 1",
                () -> TrainingOptions.builder().labelSmoothing(1).build());
    }

    @Test
    void whatGoesWithAGivenNumberIsNotChosen() {
        assertEquals(OptionalInt.of(1), TrainingOptions.builder().batchSize(2).build().gradientAccumulation());
        assertEquals(OptionalInt.of(0), TrainingOptions.builder().learningRate(0.1).build().warmupSteps());
        assertEquals(OptionalInt.empty(), TrainingOptions.builder().epochs(2).build().gradientAccumulation());
    }
}
