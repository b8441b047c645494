package io.peft4j.train;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.core.peft.method.PeftMethods;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The output folder of a training that runs, locked for others: metrics, checkpoints, and in the end the adapter with
 * the tokenizer beside it. A disk that is full costs at most metrics and checkpoints while the training runs; where it
 * does not take the adapter, what was trained is kept elsewhere, and resuming finishes the save.
 */
final class RunFolder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunFolder.class);

    private final PeftModel model;
    private final OutputFolder output;
    private final Closer owned;
    private final PageWriter page;

    private RunFolder(PeftModel model, OutputFolder output) {
        this.model = model;
        this.output = output;
        try (Closer opened = new Closer()) {
            opened.add(output.take());
            this.page = new PageWriter(path());
            this.owned = opened.keep();
        }
    }

    /**
     * Makes the folder and locks it, so that one which cannot be written is found out before the training and not
     * after it.
     *
     * @throws io.peft4j.core.error.ConfigurationException as {@link OutputFolder#check} says
     * @throws UncheckedIOException when it cannot be written
     */
    static RunFolder open(PeftModel model, OutputFolder output) {
        return new RunFolder(model, output);
    }

    /** Whether a training that came to its end is to go on. */
    boolean isFinished() {
        return output.isFinished();
    }

    /** Where the training is to go on from. */
    Optional<Path> resumePoint() {
        return output.resumePoint();
    }

    /**
     * Begins metrics and page of a training, or continues them after so many updates; what came after those goes.
     *
     * @return those who write them
     */
    List<TrainingListener> begin(long stepsDone) {
        if (stepsDone == 0) {
            EmergencyCheckpoint.of(path()).putAside();
        }
        checkpoints().removeAfter(stepsDone);
        return List.of(owned.add(MetricsFile.open(path(), stepsDone)), page);
    }

    Path path() {
        return checkpoints().output();
    }

    private Checkpoints checkpoints() {
        return output.checkpoints();
    }

    /** Adds a checkpoint, if it is time for one or it is wanted. */
    void addCheckpointWhereDue(TrainingRun run, TrainingListener listener, boolean wanted) {
        if (wanted || checkpoints().isDue(run.stepsDone())) {
            addCheckpoint(run, listener);
        }
    }

    void addCheckpoint(TrainingRun run, TrainingListener listener) {
        run.requireFinite();
        Path place = checkpoints().folder(run.stepsDone());
        TrainingEvents.Checkpoint event = new TrainingEvents.Checkpoint();
        event.begin();
        if (checkpoints().add(run.stepsDone(), run::save)) {
            event.commit(run.stepsDone(), place);
            listener.onCheckpoint(run.stepsDone(), place);
        }
    }

    /**
     * Saves the adapter, and checks what is there afterwards; then what is written about it, and the page.
     *
     * @throws UncheckedIOException when the adapter cannot be written; says where it is kept instead
     */
    void finish(TrainingRun run, TrainingResult result) {
        try {
            model.saveAdapter(path());
        } catch (UncheckedIOException e) {
            output.adapterFolders().forEach(RunFolder::removeHalf);
            throw new UncheckedIOException(e.getMessage() + " " + keep(run), e.getCause());
        }
        for (Path adapter : output.adapterFolders()) {
            AdapterCheckpoint.readConfig(adapter);
            SafetensorsFile.open(adapter.resolve(AdapterCheckpoint.WEIGHTS_FILE)).close();
        }
        writeAbout(result);
        EmergencyCheckpoint.of(path()).remove();
        page.onEnd(result);
    }

    /** Card and passports are of less worth than the adapter, which is there. */
    private void writeAbout(TrainingResult result) {
        try {
            ModelCard.write(path(), model, result);
            Map<String, String> training = new LinkedHashMap<>(result.plan().settings());
            model.base().weights().ifPresent(weights -> training.put("weights", weights));
            for (String name : model.activeAdapters()) {
                AdapterProvenance.of(model, model.adapter(name), training, List.of())
                        .write(output.adapterFolder(name));
            }
        } catch (UncheckedIOException e) {
            LOG.warn("the adapter is saved, but not everything written about it: {}", e.getMessage());
        }
    }

    /** Keeps a training whose adapter cannot be saved; says where, and what to do. */
    private String keep(TrainingRun run) {
        long step = run.stepsDone();
        Optional<Path> last = checkpoints().newestFirst().stream().findFirst();
        if (last.filter(path -> Checkpoints.step(path) == step).isPresent()) {
            return "What was trained is kept in " + last.get() + advice();
        }
        if (step > 0) {
            try {
                return "What was trained is kept in " + EmergencyCheckpoint.of(path()).keep(step, run::save) + advice();
            } catch (IOException e) {
                LOG.warn("cannot keep it in {}: {}", EmergencyCheckpoint.of(path()).folder(), AtomicFiles.reason(e));
            } catch (UncheckedIOException e) {
                LOG.warn("cannot keep it in {}: {}", EmergencyCheckpoint.of(path()).folder(), e.getMessage());
            }
        }
        return last.map(path -> "The last checkpoint is " + path + "; make room and resume the training from there")
                .orElse("What was trained is in the model and nowhere else: make room and call saveAdapter");
    }

    private static String advice() {
        return ", an adapter that can be used; make room and resume the training, which finishes the save";
    }

    /** The weights are written first; without the configuration they are not an adapter and only fill the disk. */
    private static void removeHalf(Path adapter) {
        if (AdapterCheckpoint.isAdapter(adapter)) {
            return;
        }
        for (String name : List.of(AdapterCheckpoint.WEIGHTS_FILE, AdapterCheckpoint.TRAINING_FILE,
                AdapterProvenance.FILE)) {
            try {
                if (Files.isRegularFile(adapter.resolve(name))) {
                    Files.delete(adapter.resolve(name));
                }
            } catch (IOException e) {
                // The failure that led here is the one to report.
                LOG.warn("cannot remove {}: {}", adapter.resolve(name), AtomicFiles.reason(e));
            }
        }
    }

    @Override
    public void close() {
        owned.close();
    }

    /**
     * The {@code README.md} beside an adapter, as the hub shows it: what it was made from, how, and how to load it. One
     * that is there already is left alone, since a person may have written it, unless it tells of a training that was
     * cancelled and has now been gone on with.
     */
    private static final class ModelCard {
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
                    .append("Trained with PEFT4J. Its configuration is in `adapter_config.json`, the figures of "
                            + "each step ")
                    .append("in `").append(MetricsFile.NAME).append("`.\n\n| | |\n|---|---|\n");
            model.base().weights().ifPresent(weights -> row(text, "weights of the base", weights));
            row(text, "method", method);
            row(text, "trainable parameters", String.format(Locale.ROOT, "%,d", model.trainableParameterCount()));
            row(text, "examples",
                    String.format(Locale.ROOT, "%,d (%,d tokens, %,d supervised)", result.plan().examples(),
                            result.plan().tokens(), result.plan().supervisedTokens()));
            text.append(String.format(Locale.ROOT, "| steps | %,d of %,d%s\n", result.plan().doneSteps()
                    + result.steps().size(), result.totalSteps(), ENDINGS.get(result.ending())));
            Map<String, String> settings = result.plan().settings();
            row(text, "epochs, batch size, gradient accumulation", values(settings, "epochs", "batch_size",
                    "gradient_accumulation"));
            row(text, "learning rate",
                    values(settings, "learning_rate", "schedule", "warmup_steps") + " warm-up steps");
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
}
