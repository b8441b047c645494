package io.peft4j.train;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.train.optimizer.Optimizer;
import java.nio.file.Path;
import java.util.List;

/**
 * A training with a checkpoint after every update that resumes where it was killed; as a program, it says on stdout how
 * far it is.
 */
final class KilledTraining {
    /** What the program prints when it starts, and after each update, before its checkpoint is written. */
    static final String STARTED = "started";
    static final String UPDATED = "updated";
    /** 3 updates each. */
    private static final int EPOCHS = 30;

    private static final String WITH_DROPOUT = "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4, "
            + "\"lora_dropout\": 0.2, \"target_modules\": \"all-linear\"}";

    /** LoRA with dropout, virtual tokens, and everything that a checkpoint may have to keep at once. */
    enum Kind {
        LORA(WITH_DROPOUT), PROMPT_TUNING("{\"peft_type\": \"PROMPT_TUNING\", \"num_virtual_tokens\": 3}"),
        /** Several objectives, two of which have references, moments in 8 bits, and the best values so far. */
        MIXED_OBJECTIVES(WITH_DROPOUT) {
            @Override
            TrainingResult train(Tiny tiny, TrainerBuilder trainer) {
                return PreferenceTrainingTest.Kind.MIXED.train(tiny.model, trainer.validation(List.of()).epochs(10)
                        .optimizer(Optimizer.named("adamw-8bit")).packing(PackOptions.Strategy.LENGTH_BUCKETS)
                        .evaluateEverySteps(4).earlyStopping(100, 0).keepBest(true));
            }
        };

        private final String config;

        Kind(String config) {
            this.config = config;
        }

        Tiny model(Kernels kernels) {
            return new Tiny(new TinyNetwork(5, false, true), kernels, PeftMethods.readConfig(config, "test"), 6);
        }

        TrainingResult train(Tiny tiny, TrainerBuilder trainer) {
            return trainer.build().train(Runs.EXAMPLES);
        }
    }

    private KilledTraining() {
    }

    /** Trains, or trains on, to the end. */
    static TrainingResult train(Kind kind, Kernels kernels, Path output, TrainingListener listener) {
        try (Tiny tiny = kind.model(kernels)) {
            return kind.train(tiny, Runs.builder(tiny, output).epochs(EPOCHS).checkpointEverySteps(1)
                    .start(RunStart.RESUME_OR_START).listener(listener));
        }
    }

    /** The kind, and the output folder. */
    public static void main(String[] arguments) {
        System.out.println(STARTED);
        train(Kind.valueOf(arguments[0]), new NaiveKernels(), Path.of(arguments[1]), new TrainingListener() {
            @Override
            public void onStep(StepMetrics metrics) {
                System.out.println(UPDATED);
            }
        });
    }
}
