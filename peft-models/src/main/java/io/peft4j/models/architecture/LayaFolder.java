package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.model.Task;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder with a Laya checkpoint: the weights in it, the encoder's configuration and the tokenizer below it. */
public final class LayaFolder {
    /** The encoder's configuration, below the folder. */
    public static final String CONFIG = "encoder/config.json";

    private LayaFolder() {
    }

    /** Whether a folder is one. */
    public static boolean isIn(Path folder) {
        return Files.isRegularFile(folder.resolve(DecisionSettings.LAYA)) && Files.isRegularFile(config(folder));
    }

    private static Path config(Path folder) {
        return folder.resolve(CONFIG);
    }

    /** The encoder's configuration, as one of a model of decisions. */
    public static ModelConfig read(Path folder) {
        ModelConfig encoder = ModelConfig.read(config(folder));
        ObjectNode values = encoder.values().deepCopy();
        TaskPlan.write(Task.DECISION, values);
        return new ModelConfig(encoder.file(), values);
    }

    /** The folder of the tokenizer. */
    public static Path tokenizer(Path folder) {
        return folder.resolve("tokenizer");
    }
}
