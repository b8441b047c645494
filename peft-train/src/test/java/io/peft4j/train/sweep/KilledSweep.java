package io.peft4j.train.sweep;

import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A sweep that resumes where it was killed; as a program, it says on stdout which trials are done. */
final class KilledSweep {
    private static final String SPACE = "{\"learning_rate\": {\"min\": 1e-4, \"max\": 1e-1, \"log\": true}, "
            + "\"rank\": [2, 4]}";

    private KilledSweep() {
    }

    /** Begins a sweep, or resumes it. */
    static SweepResult run(Path data, Path output, Consumer<Trial> progress) {
        ChatDataset chats = ChatDataset.read(data);
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, true), new WordTokenizer(TinyNetwork.VOCABULARY),
                new NaiveKernels())) {
            return Sweep.of(base, LoraConfig.builder().rank(2).alpha(4).targetModules("q_proj", "v_proj").build(),
                    SearchSpace.of(SPACE, "space.json")).data(chats).validation(chats)
                    .trainer(model -> Trainer.builder(model).options(TrainingOptions.of(5, 4, 2e-4)))
                    .trials(6).sideBySide(1).seed(3).progress(progress).resume(SweepFile.isThere(output)).run(output);
        }
    }

    /** The data, and the output folder. */
    public static void main(String[] arguments) {
        run(Path.of(arguments[0]), Path.of(arguments[1]), trial -> System.out.println(trial.name()));
    }
}
