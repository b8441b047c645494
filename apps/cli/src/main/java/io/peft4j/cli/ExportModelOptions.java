package io.peft4j.cli;

import io.peft4j.core.peft.file.AdapterTask;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The base model of something that is to be written; it is loaded in f32, so that nothing is lost on the way. */
@HelpGroup(HelpGroup.DATA)
final class ExportModelOptions {
    @Option(names = "--model", required = true, paramLabel = "ID|DIR|FILE.gguf", description = "The base model.")
    private String model;

    @Option(names = "--threads", paramLabel = "N", description = "Number of threads. Default: all processors")
    private Integer threads;

    /** The model as it was named. */
    String name() {
        return model;
    }

    BaseModel load(PeftCommand command) {
        return load(command, Optional.empty());
    }

    /** Loads the model for what an adapter is for, with its tokens where it has more. */
    BaseModel load(PeftCommand command, Optional<Path> adapter) {
        if (threads != null && threads < 1) {
            throw command.usage("--threads is " + threads + "; it must be at least 1");
        }
        ModelOptions f32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
        ModelOptions options = adapter.flatMap(AdapterTask::read).map(f32::withTask).orElse(f32);
        ModelOptions chosen = threads == null ? options : options.withThreads(threads);
        return adapter.map(folder -> EngineOptions.loadFor(model, folder, chosen, command.console()))
                .orElseGet(() -> EngineOptions.load(model, chosen, command.console()));
    }
}
