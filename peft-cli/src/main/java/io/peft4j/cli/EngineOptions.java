package io.peft4j.cli;

import io.peft4j.core.model.ModelDescription;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.models.hub.ModelSource;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The options of how a model is loaded and run. */
final class EngineOptions {
    @Option(names = "--dtype", paramLabel = "f32|bf16|auto", defaultValue = "auto",
            description = "What the model computes in; auto is bf16 where the processor is faster with it."
                    + " Default: ${DEFAULT-VALUE}")
    private ModelOptions.Precision precision;

    @Option(names = "--threads", paramLabel = "N", description = "Number of threads. Default: all processors")
    private Integer threads;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Finds and loads a model, with progress on stderr where it has to be downloaded. */
    BaseModel load(String reference, Console console) {
        ModelOptions options = options();
        try (DownloadProgress progress = new DownloadProgress(console)) {
            ModelSource source = ModelLocator.builder().listener(progress).build().locate(reference);
            return BaseModel.load(source, options);
        }
    }

    private ModelOptions options() {
        if (threads != null && threads < 1) {
            throw new ParameterException(command.commandLine(), "--threads is " + threads + "; it must be at least 1");
        }
        ModelOptions options = ModelOptions.defaults().withPrecision(precision);
        return threads == null ? options : options.withThreads(threads);
    }

    /** The precision of a name. */
    static ModelOptions.Precision precision(String name) {
        return Arrays.stream(ModelOptions.Precision.values()).filter(value -> value.name().equalsIgnoreCase(name))
                .findFirst().orElseThrow(() -> new TypeConversionException("'" + name
                        + "' is none of f32, bf16, auto"));
    }

    /** What was loaded, in one line. */
    static String describe(BaseModel model) {
        ModelDescription description = model.network().description();
        return String.format(Locale.ROOT, "%s (%s, %,d parameters, %s, kernels %s)", description.name(),
                description.modelType(), description.parameters(),
                description.activationType().name().toLowerCase(Locale.ROOT), model.kernels().name());
    }
}
