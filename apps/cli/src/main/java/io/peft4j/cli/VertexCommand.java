package io.peft4j.cli;

import io.peft4j.cloud.jobs.VertexTraining;
import io.peft4j.serve.VertexEndpoint;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code peft4j vertex}: what a container of Vertex AI runs. */
@Command(name = "vertex", description = "Trains and serves in a container of Google's Vertex AI.",
        subcommands = {VertexCommand.Train.class, VertexCommand.Serve.class})
final class VertexCommand extends CommandGroup {
    /** {@code peft4j vertex train}. */
    @Command(name = "train", description = {"Runs a custom training job.",
        "Data comes from AIP_TRAINING_DATA_URI and AIP_VALIDATION_DATA_URI, the adapter goes to AIP_MODEL_DIR, "
                + "checkpoints are in AIP_CHECKPOINT_DIR. PEFT4J_MODEL names the base model; the options of 'peft4j "
                + "train' are variables (PEFT4J_LEARNING_RATE) or stand behind --."})
    static final class Train extends PeftCommand {
        @Parameters(paramLabel = "OPTIONS", description = "Options of 'peft4j train', behind --.")
        private List<String> words = List.of();

        @Override
        public Integer call() {
            Console console = console();
            return ContainerCommands.status(console, new VertexTraining(System.getenv(), words,
                    new ContainerCommands(interrupts(), console), console.out()).run());
        }
    }

    /** {@code peft4j vertex serve}. */
    @Command(name = "serve", description = {"Answers predictions.",
        "The adapter lies at AIP_STORAGE_URI; the base model lies there too (itself, or in its folder base), or is "
                + "named by PEFT4J_MODEL. Port and routes are AIP_HTTP_PORT, AIP_HEALTH_ROUTE and AIP_PREDICT_ROUTE."})
    static final class Serve extends PeftCommand {
        @Mixin
        private EngineOptions engine;

        @Override
        public Integer call() {
            Map<String, String> environment = System.getenv();
            String port = environment.getOrDefault("AIP_HTTP_PORT", "8080");
            if (!port.matches("\\d{1,5}")) {
                throw usage("AIP_HTTP_PORT is '" + port + "'; it must be a port");
            }
            return new ContainerRun(interrupts(), console(), engine).serve(VertexTraining.served(environment),
                    new VertexEndpoint(environment.getOrDefault("AIP_HEALTH_ROUTE", "/health"),
                            environment.getOrDefault("AIP_PREDICT_ROUTE", "/predict")),
                    Integer.parseInt(port));
        }
    }
}
