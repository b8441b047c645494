package io.peft4j.cli;

import io.peft4j.cloud.jobs.MetricDefinitions;
import io.peft4j.cloud.jobs.SageMakerTraining;
import io.peft4j.serve.SageMakerEndpoint;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j sagemaker}: what a container of SageMaker runs. */
@Command(name = "sagemaker", description = "Trains and serves in a container of Amazon SageMaker.",
        subcommands = {SageMakerCommand.Train.class, SageMakerCommand.Serve.class,
            SageMakerCommand.Metrics.class})
final class SageMakerCommand extends CommandGroup {
    /** {@code peft4j sagemaker train}. */
    @Command(name = "train", description = {"Runs a training job.",
        "Hyperparameters are the options of 'peft4j train' with underscores; data comes from the channels training (or "
                + "train) and validation; the base model is the hyperparameter model, the variable PEFT4J_MODEL, or "
                + "lies in the model folder or the channel model. Reasons of a failure are in output/failure."})
    static final class Train extends PeftCommand {
        @Option(names = "--root", paramLabel = "DIR", defaultValue = "/opt/ml",
                description = "Where SageMaker puts its files. Default: ${DEFAULT-VALUE}")
        private Path root;

        @Override
        public Integer call() {
            Console console = console();
            return ContainerCommands.status(console, new SageMakerTraining(root, System.getenv(),
                    new ContainerCommands(interrupts(), console), console.out()).run());
        }
    }

    /** {@code peft4j sagemaker serve}. */
    @Command(name = "serve", description = {"Answers GET /ping and POST /invocations.",
        "The adapter is what the model folder holds; the base model lies there too (itself, or in its folder base), or "
                + "is named by the variable PEFT4J_MODEL, or lies in the channel model."})
    static final class Serve extends PeftCommand {
        @Option(names = "--root", paramLabel = "DIR", defaultValue = "/opt/ml",
                description = "Where SageMaker puts its files. Default: ${DEFAULT-VALUE}")
        private Path root;

        @Option(names = "--port", paramLabel = "P", defaultValue = "8080",
                description = "Port to listen on; 0 for any. Default: ${DEFAULT-VALUE}")
        private int port;

        @Mixin
        private EngineOptions engine;

        @Override
        public Integer call() {
            return new ContainerRun(interrupts(), console(), engine).serve(
                    SageMakerTraining.served(root, System.getenv()), new SageMakerEndpoint(), port);
        }
    }

    /** {@code peft4j sagemaker metrics}. */
    @Command(name = "metrics", description = "Prints the MetricDefinitions of a training job, as JSON.")
    static final class Metrics extends PeftCommand {
        @Override
        public Integer call() {
            console().out().println(MetricDefinitions.json());
            console().checkOut();
            return 0;
        }
    }
}
