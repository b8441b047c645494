package io.peft4j.cli;

import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.Task;
import io.peft4j.models.AdapterVocabulary;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.DownloadListener;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.models.hub.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The options of how a model is loaded and run. */
@HelpGroup(HelpGroup.MACHINE)
final class EngineOptions {
    private static final int MOST_THREADS = 1024;

    @Option(names = "--dtype", paramLabel = "auto|f32|bf16|int8|q4", defaultValue = "auto",
            description = "Type of the model's weights. int8 and q4 round linear layers to 8 or 4 bits; auto is "
                    + "bf16 if the processor is faster with it, else f32, and int8 or q4 if that would fill more "
                    + "than half of the memory. Default: ${DEFAULT-VALUE}")
    private ModelOptions.Precision precision;

    @Option(names = "--threads", paramLabel = "N", description = "Number of threads. Default: all processors")
    private Integer threads;

    @Option(names = "--chat-template", paramLabel = "FILE", description = "A chat template (Jinja) in the place of the "
            + "model's own: for a base model that has none. An adapter is asked with the one it was trained with.")
    private Path chatTemplate;

    @Option(names = "--tool-form", paramLabel = "NAME", description = "The form of tool calls that the chat template "
            + "gets (hermes and others): for a base model whose own shows no tools.")
    private String toolForm;

    @Option(names = "--text-part", description = "Loads the text part of an adapter that has others, for images or "
            + "sounds, which are left out. Without it such an adapter is refused.")
    private boolean textPart;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Finds and loads a model, with progress on stderr where it has to be downloaded. */
    BaseModel load(String reference, Console console) {
        return load(reference, options(), console);
    }

    /** The same for a task, where {@code task} gives one for what was found. */
    BaseModel load(String reference, Console console, Function<ModelSource, Optional<Task>> task) {
        return load(reference, console, task, false);
    }

    /** The same, where {@code shared} with weights that the processes of this machine have in common. */
    BaseModel load(String reference, Console console, Function<ModelSource, Optional<Task>> task, boolean shared) {
        ModelOptions options = options().withSharedWeights(shared);
        return located(reference, console, source -> task.apply(source).map(options::withTask).orElse(options));
    }

    /**
     * The base model of an adapter, with the chat template that this was trained with unless the options have one, with
     * the tokens of that where it has more, for a task if any.
     */
    BaseModel loadFor(String reference, Path adapter, Console console, Optional<Task> task) {
        ModelOptions options = options();
        return loadFor(reference, adapter, task.map(options::withTask).orElse(options), console);
    }

    /** The same with given options. */
    static BaseModel loadFor(String reference, Path adapter, ModelOptions options, Console console) {
        ModelOptions asTrained = options.chatTemplate().isPresent() || options.toolForm().isPresent() ? options
                : options.withChatTemplate(AdapterVocabulary.chatTemplate(adapter));
        return located(reference, console, source -> AdapterVocabulary.isWiderThan(source, adapter)
                ? asTrained.withTokensOf(adapter) : asTrained);
    }

    static BaseModel load(String reference, ModelOptions options, Console console) {
        return located(reference, console, source -> options);
    }

    private static BaseModel located(String reference, Console console, Function<ModelSource, ModelOptions> options) {
        try (DownloadProgress progress = new DownloadProgress(console)) {
            ModelSource source = ModelLocator.builder().listener(progress).build().locate(reference);
            BaseModel model = BaseModel.load(source, options.apply(source));
            model.weights().ifPresent(weights -> console.say("weights: %s", weights));
            return model;
        }
    }

    /** Says so where it was not asked for: answers and likelihoods are then not quite those of the full weights. */
    void sayIfQuantized(BaseModel model, Console console) {
        ModelOptions.Precision chosen = model.precision().precision();
        if (precision != chosen && (chosen == ModelOptions.Precision.INT8 || chosen == ModelOptions.Precision.Q4)) {
            console.say("model:      %s", describe(model));
        }
    }

    /** The threads that a model runs with. */
    int threads() {
        return threads == null ? KernelSelection.defaultThreads() : threads;
    }

    private ModelOptions options() {
        if (threads != null && (threads < 1 || threads > MOST_THREADS)) {
            throw new ParameterException(command.commandLine(), "--threads is " + threads + "; it must be at least 1, "
                    + "at most " + MOST_THREADS);
        }
        ModelOptions options = ModelOptions.defaults().withPrecision(precision);
        if (chatTemplate != null) {
            options = options.withChatTemplate(template());
        }
        ModelOptions loaded = options.withToolForm(Optional.ofNullable(toolForm))
                .withTextPart(textPart);
        return threads == null ? loaded : loaded.withThreads(threads);
    }

    private String template() {
        try {
            return Files.readString(chatTemplate);
        } catch (IOException e) {
            throw new ParameterException(command.commandLine(), "--chat-template: cannot read " + chatTemplate
                    + " as text in UTF-8: " + e, e);
        }
    }

    static ModelOptions.Precision precision(String name) {
        return Arrays.stream(ModelOptions.Precision.values()).filter(value -> value.name().equalsIgnoreCase(name))
                .findFirst().orElseThrow(() -> new TypeConversionException("'" + name
                        + "' must be auto, f32, bf16, int8 or q4"));
    }

    /** What was loaded, in one line. */
    static String describe(BaseModel model) {
        ModelDescription description = model.network().description();
        return String.format(Locale.ROOT, "%s (%s, %,d parameters, %s: %s; kernels %s)", description.name(),
                description.modelType(), description.parameters(), model.precision().name(),
                model.precision().reason(), model.engine().name());
    }

    /** Shows downloads; several files may come at once. */
    private static final class DownloadProgress implements DownloadListener, AutoCloseable {
        private static final long MB = 1_000_000;

        private final Console console;
        private final Map<String, TerminalProgress> running = new HashMap<>();

        DownloadProgress(Console console) {
            this.console = console;
        }

        @Override
        public synchronized void started(String file, String from, long totalBytes) {
            console.say("Downloading %s%s from %s", file, totalBytes < 0 ? "" : size(totalBytes), from);
            if (totalBytes >= MB) {
                running.put(file, TerminalProgress.of(console, file, 0, totalBytes / MB));
            }
        }

        private static String size(long bytes) {
            return bytes < MB ? " (" + (bytes + 999) / 1000 + " kB)" : " (" + bytes / MB + " MB)";
        }

        @Override
        public synchronized void progress(String file, long doneBytes, long totalBytes) {
            TerminalProgress progress = running.get(file);
            if (progress != null) {
                progress.to(doneBytes / MB, "MB");
            }
        }

        @Override
        public synchronized void finished(String file, Path path) {
            TerminalProgress progress = running.remove(file);
            if (progress != null) {
                progress.close();
            }
        }

        @Override
        public synchronized void note(String text) {
            console.say("%s", text);
        }

        @Override
        public synchronized void close() {
            running.values().forEach(TerminalProgress::close);
            running.clear();
        }
    }
}
