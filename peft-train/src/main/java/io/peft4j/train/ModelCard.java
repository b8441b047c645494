package io.peft4j.train;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.PeftMethods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The {@code README.md} beside an adapter, as the hub shows it: what it was made from, how, and how to load it. One
 * that is there already is left alone, since somebody may have written it, unless it tells of a training that was
 * cancelled and has now been gone on with.
 */
final class ModelCard {
    private static final String FILE = "README.md";
    private static final Map<TrainingResult.Ending, String> ENDINGS = Map.of(
            TrainingResult.Ending.COMPLETE, " |", TrainingResult.Ending.CANCELLED, ", then cancelled |",
            TrainingResult.Ending.STOPPED_EARLY, ", then stopped early |",
            TrainingResult.Ending.OUT_OF_TIME, ", then out of time |");

    private ModelCard() {
    }

    /**
     * Writes the card.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public static void write(Path folder, PeftModel model, TrainingResult result) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file) || isOfCancelled(file)) {
            AtomicFiles.writeString(file, text(model, result));
        }
    }

    private static boolean isOfCancelled(Path file) {
        try {
            String text = Files.readString(file);
            return text.contains(ENDINGS.get(TrainingResult.Ending.CANCELLED))
                    || text.contains(ENDINGS.get(TrainingResult.Ending.OUT_OF_TIME));
        } catch (IOException e) {
            // Not a text that a training wrote.
            return false;
        }
    }

    private static String text(PeftModel model, TrainingResult result) {
        String base = model.network().description().name();
        PeftConfig config = model.adapter(model.activeAdapters().get(0)).config();
        String method = PeftMethods.byType(config.peftType()).name();
        StringBuilder text = new StringBuilder();
        // The name is quoted: a path may hold what YAML reads as something else.
        text.append("---\nbase_model: '").append(base.replace("'", "''")).append("'\nlibrary_name: peft\ntags:\n- ")
                .append(method).append("\n- peft4j\n---\n\n# An adapter for ").append(base).append("\n\n")
                .append("Trained with PEFT4J. Its configuration is in `adapter_config.json`, the figures of each step ")
                .append("in `").append(MetricsFile.NAME).append("`.\n\n| | |\n|---|---|\n");
        model.base().weights().ifPresent(weights -> row(text, "weights of the base", weights));
        row(text, "method", method);
        row(text, "trainable parameters", String.format(Locale.ROOT, "%,d", model.trainableParameterCount()));
        row(text, "examples", String.format(Locale.ROOT, "%,d (%,d tokens, %,d supervised)", result.plan().examples(),
                result.plan().tokens(), result.plan().supervisedTokens()));
        text.append(String.format(Locale.ROOT, "| steps | %,d of %,d%s\n", result.plan().doneSteps()
                + result.steps().size(), result.totalSteps(), ENDINGS.get(result.ending())));
        Map<String, String> settings = result.plan().settings();
        row(text, "epochs, batch size, gradient accumulation", values(settings, "epochs", "batch_size",
                "gradient_accumulation"));
        row(text, "learning rate", values(settings, "learning_rate", "schedule", "warmup_steps") + " warm-up steps");
        row(text, "weight decay, max grad norm, seed", values(settings, "weight_decay", "max_grad_norm", "seed"));
        result.finalTrainLoss().ifPresent(loss -> row(text, "training loss of the last step", rounded(loss)));
        result.finalEvalLoss().ifPresent(loss -> row(text, "validation loss", rounded(loss)));
        return text.append("\n```python\nfrom peft import PeftModel\n")
                .append("model = PeftModel.from_pretrained(base_model, \"path/of/this/folder\")\n```\n\n```java\n")
                .append("PeftModel model = base.withAdapter(Path.of(\"path/of/this/folder\"));\n```\n").toString();
    }

    private static String rounded(double loss) {
        return String.format(Locale.ROOT, "%.4f", loss);
    }

    private static String values(Map<String, String> settings, String... names) {
        return Stream.of(names).map(settings::get).collect(Collectors.joining(", "));
    }

    private static void row(StringBuilder text, String name, String value) {
        text.append("| ").append(name).append(" | ").append(value).append(" |\n");
    }
}
