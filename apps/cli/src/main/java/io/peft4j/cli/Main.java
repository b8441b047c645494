package io.peft4j.cli;

import io.peft4j.cloud.jobs.VertexTraining;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.data.Masking;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.ExampleWriter;
import io.peft4j.models.ModelOptions;
import io.peft4j.serve.VertexEndpoint;
import io.peft4j.train.plan.AutoInteger;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * The command {@code peft4j}. Exit status 0 is success, 1 a failure with one clear line on stderr, 2 wrong usage.
 */
@Command(
        name = "peft4j",
        description = "Fine-tunes language models inside the JVM.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
@Internal
public final class Main implements Runnable {
    private static final String VERBOSE = "--verbose";
    private static final List<Class<?>> COMMANDS = List.of(QuickstartCommand.class, TrainCommand.class,
            SweepCommand.class, EstimateCommand.class, LearningRateCommand.class, AdviseCommand.class,
            ScoreCommand.class, EmbedCommand.class, DecideCommand.class, CalibrateCommand.class, GenerateCommand.class,
            ChatCommand.class,
            EvaluateCommand.class,
            GradeCommand.class,
            AdapterCommand.class, RunsCommand.class, DataCommand.class, BenchCommand.class, ServeCommand.class,
            RescueCommand.class, TemplateCommand.class, DoctorCommand.class, CompletionCommand.class, McpCommand.class,
            JShellCommand.class,
            SageMakerCommand.class, VertexCommand.class);

    private final Interrupts interrupts;

    @Spec
    private CommandSpec spec;

    @Option(names = VERBOSE, scope = ScopeType.INHERIT,
            description = "Logs progress, the first training example, and stack traces of internal errors, to stderr.")
    private boolean verbose;

    private Main(Interrupts interrupts) {
        this.interrupts = interrupts;
    }

    /**
     * Runs the command line and ends the JVM with its exit status.
     *
     * @param arguments the words after {@code peft4j}
     */
    public static void main(String[] arguments) {
        if (List.of(arguments).contains(VERBOSE)) {
            // The log reads its settings once, when the first logger is made.
            System.setProperty("org.slf4j.simpleLogger.log.io.peft4j", "info");
            // What is learned of the first example: the library logs no data on its own.
            System.setProperty("org.slf4j.simpleLogger.log.io.peft4j.train.objective.ChatObjective", "debug");
        }
        LibraryOpening opening = LibraryOpening.begin(arguments);
        Interrupts interrupts = Interrupts.ofThisProcess();
        CommandLine line = commandLine(interrupts, arguments)
                .setOut(utf8(FileDescriptor.out))
                .setErr(utf8(FileDescriptor.err));
        int status = interrupts.during(() -> {
            int result = execute(line, arguments);
            line.getOut().flush();
            line.getErr().flush();
            return result;
        });
        opening.await();
        System.exit(status);
    }

    /** Runs a command on what its arguments name here or in a cloud. */
    private static int execute(CommandLine line, String... arguments) {
        try {
            RemoteArguments remote = new RemoteArguments(arguments);
            remote.say(line.getErr());
            return remote.publish(line.execute(remote.words()), line.getErr());
        } catch (PeftException | UncheckedIOException e) {
            line.getErr().println("peft4j: " + Failures.message(e));
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    /** Data is UTF-8 whatever the locale is. */
    private static PrintWriter utf8(FileDescriptor descriptor) {
        return new PrintWriter(new OutputStreamWriter(new FileOutputStream(descriptor), StandardCharsets.UTF_8), true);
    }

    /** The command line as it is run, also for tests. */
    static CommandLine commandLine() {
        return commandLine(new Interrupts());
    }

    /**
     * The commands that the arguments need: the one they begin with, since reading the options of all takes longer than
     * some commands do, or all where they begin with none, for help and messages.
     */
    private static List<Class<?>> commands(String... arguments) {
        Optional<String> first = Stream.of(arguments).filter(argument -> !argument.startsWith("-")).findFirst();
        List<Class<?>> named = COMMANDS.stream()
                .filter(type -> first.equals(Optional.of(type.getAnnotation(Command.class).name()))).toList();
        return named.isEmpty() ? COMMANDS : named;
    }

    static CommandLine commandLine(Interrupts interrupts, String... arguments) {
        return commandLine(interrupts, commands(arguments));
    }

    /** A command line of these commands alone, given as classes or as objects. */
    static CommandLine commandLine(Interrupts interrupts, List<?> commands) {
        CommandLine line = new CommandLine(new Main(Objects.requireNonNull(interrupts, "interrupts")));
        commands.forEach(line::addSubcommand);
        return RegisteredOptions.on(GroupedOptions.on(line))
                .registerConverter(ModelOptions.Precision.class, EngineOptions::precision)
                .registerConverter(BenchCommand.Shape.class, BenchCommand.Shape::of)
                .registerConverter(AutoInteger.class, converter(AutoInteger::of))
                .registerConverter(Masking.class, converter(Masking::named))
                .registerConverter(DataFormat.class, DataInput::format)
                .registerConverter(Charset.class, DataInput::encoding)
                .registerConverter(Path.class, Main::path)
                .registerConverter(IfExists.class, ExistingOptions::policy)
                .registerConverter(FurtherObjective.class, FurtherObjective::of)
                .setParameterExceptionHandler(Failures::reportUsage)
                .setExecutionStrategy(Failures::run)
                .setExecutionExceptionHandler(Failures::report);
    }

    /** Converts a word as the library does, whose errors become those of an option. */
    private static <T> ITypeConverter<T> converter(Function<String, T> reader) {
        return word -> {
            try {
                return reader.apply(word);
            } catch (ConfigurationException e) {
                throw new TypeConversionException(e.getMessage());
            }
        };
    }

    /** A place that is named: an empty name, as of a variable that is not set, would be the current folder. */
    private static Path path(String word) {
        if (word.isBlank()) {
            throw new TypeConversionException("the name of a file or folder is empty");
        }
        return Path.of(word);
    }

    /** What happens when the program is stopped. */
    Interrupts interrupts() {
        return interrupts;
    }

    /** Whether internals are of interest. */
    boolean isVerbose() {
        return verbose;
    }

    /** Without a command there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }

    /** {@code peft4j adapter}: what can be done with adapters that there are. */
    @Command(name = "adapter", sortOptions = false,
            description = "Inspects, merges, converts, combines, scales and signs adapters.",
            subcommands = {AdapterInfoCommand.class, AdapterMergeCommand.class, AdapterConvertCommand.class,
                AdapterCombineCommand.class, AdapterScaleCommand.class, AdapterSigning.Sign.class,
                AdapterSigning.Verify.class})
    private static final class AdapterCommand extends CommandGroup {
    }

    /** {@code peft4j data}: looks at data, mends it, and cuts it up. */
    @Command(name = "data", description = "Checks, cleans, splits, converts, augments, labels, mixes and previews "
            + "training data, mines negatives for it, and makes it of handbooks.",
            subcommands = {DataCheckCommand.class, DataCleanCommand.class, DataSplitCommand.class,
                DataConvertCommand.class,
                DataFromHandbookCommand.class, DataAugmentCommand.class, DataLabelCommand.class,
                DataNegativesCommand.class,
                DataMixCommand.class, DataPreviewCommand.class})
    private static final class DataCommand extends CommandGroup {
    }

    /** {@code peft4j completion}: a script that completes commands and options in a shell. */
    @Command(name = "completion", description = {"Prints a script that completes commands and options in bash or zsh.",
        "Add to .bashrc or .zshrc: source <(peft4j completion bash)"})
    private static final class CompletionCommand extends PeftCommand {
        /** One script serves both, since zsh runs bash's completions. */
        private static final List<String> SHELLS = List.of("bash", "zsh");

        @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
        private String shell;

        @Override
        public Integer call() {
            if (!SHELLS.contains(shell)) {
                throw usage("there is no completion for '" + shell + "'; there is one for " + SHELLS);
            }
            console().print(AutoComplete.bash("peft4j", Main.commandLine()));
            return 0;
        }
    }

    /** {@code peft4j data convert}: writes data in another format. */
    @Command(name = "convert", sortOptions = false, description = {"Writes data in another format. Stops at the first "
            + "row that is invalid or cannot be expressed in that format."})
    private static final class DataConvertCommand extends PeftCommand {
        @Parameters(paramLabel = "FILE", description = "The data: JSON Lines, JSON, CSV or TSV, compressed or not.")
        private Path data;

        @Mixin
        private RowsOutput output;

        @Mixin
        private DataInput input;

        @Override
        public Integer call() {
            Path target = output.choose(List.of(data));
            try (ExampleReader reader = ExampleReader.open(input.file(data));
                    ExampleWriter writer = output.open(target);
                    DataProgress progress = new DataProgress(console())) {
                reader.stream().forEach(example -> {
                    writer.write(example);
                    progress.to("converting", writer.rows());
                });
                writer.commit();
                console().say("%s in %s", Count.of(writer.rows(), "row"), target);
            }
            return 0;
        }
    }

    /**
     * Opens the native libraries on a thread of its own while the command line is read and the model is looked for: a
     * start is some tenths of a second shorter.
     */
    private static final class LibraryOpening {
        private static final Logger LOG = LoggerFactory.getLogger(LibraryOpening.class);

        private final Thread thread = new Thread(LibraryOpening::open, "peft4j-libraries");

        private LibraryOpening() {
        }

        /** Begins where the arguments name a model, which is what the libraries are for. */
        static LibraryOpening begin(String... arguments) {
            LibraryOpening opening = new LibraryOpening();
            if (Arrays.stream(arguments).anyMatch(word -> word.equals("--model") || word.startsWith("--model="))) {
                opening.thread.setDaemon(true);
                opening.thread.start();
            }
            return opening;
        }

        private static void open() {
            try {
                KernelSelection.openLibraries();
            } catch (PeftException | LinkageError e) {
                // Whoever needs the libraries meets the same and says so.
                LOG.debug("libraries were not preloaded", e);
            }
        }

        /** Waits for the end: a process should not end while libraries are on their way. */
        void await() {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** {@code peft4j vertex}: what a container of Vertex AI runs. */
    @Command(name = "vertex", description = "Trains and serves in a container of Google's Vertex AI.",
            subcommands = {VertexCommand.Train.class, VertexCommand.Serve.class})
    private static final class VertexCommand extends CommandGroup {
        /** {@code peft4j vertex train}. */
        @Command(name = "train", description = {"Runs a custom training job.",
            "Data comes from AIP_TRAINING_DATA_URI and AIP_VALIDATION_DATA_URI, the adapter goes to AIP_MODEL_DIR, "
                    + "checkpoints are in AIP_CHECKPOINT_DIR. PEFT4J_MODEL names the base model; the options of "
                    + "'peft4j "
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
                    + "named by PEFT4J_MODEL. Port and routes are AIP_HTTP_PORT, AIP_HEALTH_ROUTE and "
                    + "AIP_PREDICT_ROUTE."})
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
}
