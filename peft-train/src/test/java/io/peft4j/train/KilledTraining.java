package io.peft4j.train;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.internal.NaiveKernels;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.method.PeftMethods;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A training with a checkpoint after every update that goes on where it was killed; as a program, it says on stdout how
 * far it is.
 */
final class KilledTraining {
    /** What the program prints when it starts, and when the first update is about to begin. */
    static final String STARTED = "started";
    static final String BEGUN = "begun";
    /** 3 updates each. */
    private static final int EPOCHS = 30;

    /** LoRA with dropout, and virtual tokens. */
    enum Kind {
        LORA("{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4, \"lora_dropout\": 0.2, "
                + "\"target_modules\": \"all-linear\"}"),
        PROMPT_TUNING("{\"peft_type\": \"PROMPT_TUNING\", \"num_virtual_tokens\": 3}");

        private final String config;

        Kind(String config) {
            this.config = config;
        }

        Tiny model(Kernels kernels) {
            return new Tiny(new TinyNetwork(5, false, true), kernels, PeftMethods.readConfig(config, "test"), 6);
        }
    }

    private KilledTraining() {
    }

    /** Trains, or trains on, to the end. */
    static TrainingResult train(Tiny model, Path output, TrainingListener listener) {
        try (Tiny tiny = model) {
            return Runs.builder(tiny, output).epochs(EPOCHS).checkpointEverySteps(1).start(RunStart.RESUME_OR_START)
                    .listener(listener).build().train(Runs.EXAMPLES);
        }
    }

    /** The kind, and the output folder. */
    public static void main(String[] arguments) {
        System.out.println(STARTED);
        train(Kind.valueOf(arguments[0]).model(new NaiveKernels()), Path.of(arguments[1]), new TrainingListener() {
            @Override
            public void onStart(TrainingPlan plan) {
                System.out.println(BEGUN);
            }
        });
    }

    /** Starts the program; its log goes to a file. */
    static Process start(Kind kind, Path output, Path log) throws IOException {
        List<String> words = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        if (Runtime.version().feature() >= 24) {
            words.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        }
        // Surefire's own class path is a jar that names the real one.
        words.addAll(List.of("-cp", System.getProperty("surefire.test.class.path",
                System.getProperty("java.class.path")), KilledTraining.class.getName(), kind.name(),
                output.toString()));
        return new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())).start();
    }
}
