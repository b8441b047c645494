package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.IfExists;
import io.peft4j.data.Masking;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.pack.PackOptions;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.plan.AutoInteger;
import io.peft4j.train.plan.AutoNumber;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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
final class Main implements Runnable {
    private static final String VERBOSE = "--verbose";
    private static final List<Class<?>> COMMANDS = List.of(QuickstartCommand.class, TrainCommand.class,
            SweepCommand.class, EstimateCommand.class, LearningRateCommand.class, AdviseCommand.class,
            ScoreCommand.class, EmbedCommand.class, DecideCommand.class, CalibrateCommand.class, GenerateCommand.class,
            ChatCommand.class,
            EvaluateCommand.class,
            GradeCommand.class,
            AdapterCommand.class, RunsCommand.class, DataCommand.class, BenchCommand.class, ServeCommand.class,
            RescueCommand.class, DoctorCommand.class, CompletionCommand.class, JShellCommand.class,
            SageMakerCommand.class, VertexCommand.class);

    private final Interrupts interrupts;

    @Spec
    private CommandSpec spec;

    @Option(names = VERBOSE, scope = ScopeType.INHERIT,
            description = "Logs progress, and stack traces of internal errors, to stderr.")
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

    /** The command line for these arguments. */
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
                .registerConverter(LearningRateSchedule.class, converter(LearningRateSchedule::named))
                .registerConverter(PackOptions.Strategy.class, converter(PackOptions.Strategy::named))
                .registerConverter(AutoInteger.class, converter(AutoInteger::of))
                .registerConverter(AutoNumber.class, converter(AutoNumber::of))
                .registerConverter(Masking.class, LearnedOptions::masking)
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

    /** What happens when somebody stops the program. */
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
}
