package io.peft4j.cli;

import io.peft4j.core.error.Causes;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.error.SimilarNames;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what goes wrong into one clear line on stderr and exit status 1. */
final class Failures {
    private static final int STATUS = CommandLine.ExitCode.SOFTWARE;

    private Failures() {
    }

    /** Says what is wrong with the words that were typed, with the nearest that exist. */
    static int reportUsage(ParameterException error, String[] arguments) {
        CommandLine line = error.getCommandLine();
        line.getErr().println(unknown(error, line, arguments).orElse(error.getMessage()));
        if (line.getParent() == null && arguments.length == 0) {
            line.usage(line.getErr());
        } else {
            UnmatchedArgumentException.printSuggestions(error, line.getErr());
            line.getErr().println("Try '" + line.getCommandSpec().qualifiedName() + " --help'");
        }
        return CommandLine.ExitCode.USAGE;
    }

    /** The word that no command or option is, also where picocli misses first what that word was meant to be. */
    private static Optional<String> unknown(ParameterException error, CommandLine line, String... arguments) {
        if (error instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()) {
            String word = unmatched.getUnmatched().get(0);
            return Optional.of(line.getSubcommands().isEmpty() ? "'" + word + "' is too much here"
                    : "unknown command '" + word + "'");
        }
        if (!(error instanceof CommandLine.MissingParameterException)) {
            return Optional.empty();
        }
        List<String> names = line.getCommandSpec().optionsMap().keySet().stream().toList();
        return Arrays.stream(arguments).filter(word -> word.startsWith("--"))
                .map(word -> word.replaceFirst("=.*", "")).filter(word -> !names.contains(word)).findFirst()
                .map(word -> "unknown option '" + word + "'; " + SimilarNames.near(word, names, 1).stream()
                        .map(near -> "did you mean '" + near + "'? ").collect(Collectors.joining())
                        + error.getMessage());
    }

    /** Runs the command; a lack of memory, or of a native library, is a failure like others. */
    static int run(ParseResult parsed) {
        try {
            return new CommandLine.RunLast().execute(parsed);
        } catch (OutOfMemoryError e) {
            return failed(parsed, "out of memory: " + e.getMessage() + ". Use a smaller batch or shorter examples, or "
                    + "give the JVM more with PEFT4J_JAVA_OPTS=-Xmx8g (-Dorg.bytedeco.javacpp.maxphysicalbytes=0 for "
                    + "native memory)", e);
        } catch (LinkageError e) {
            return failed(parsed, "a native library does not load: " + Causes.root(e) + ". Libraries are unpacked into "
                    + "~/.javacpp/cache, which must be writable and on a disk with room; "
                    + "PEFT4J_JAVA_OPTS=-Dorg.bytedeco.javacpp.cachedir=DIR names another folder", e);
        }
    }

    private static int failed(ParseResult parsed, String message, Error error) {
        CommandLine line = parsed.commandSpec().commandLine();
        try {
            return line.getExecutionExceptionHandler()
                    .handleExecutionException(new MachineException(message, error), line, parsed);
        } catch (Exception e) {
            throw new CommandLine.ExecutionException(line, message, e);
        }
    }

    /** Says what went wrong. */
    static int report(Exception error, CommandLine line, ParseResult parsed) {
        Main main = (Main) parsed.commandSpec().root().userObject();
        if (main.isVerbose()) {
            StringWriter trace = new StringWriter();
            error.printStackTrace(new PrintWriter(trace));
            line.getErr().print(trace);
        }
        print(line, new OptionNames(line.getCommandSpec()).in(message(error)) + (isExpected(error)
                || main.isVerbose() ? "" : "; run with --verbose for a stack trace"));
        return STATUS;
    }

    /** What went wrong, in words. */
    static String message(Exception error) {
        return error instanceof UncheckedIOException e ? withReason(e)
                : isExpected(error) ? error.getMessage() : "internal error: " + error;
    }

    /** Whether the message says everything of use. */
    static boolean isExpected(Exception error) {
        return error instanceof PeftException || error instanceof UncheckedIOException;
    }

    /** The message with its reason, where it does not say it itself. */
    private static String withReason(UncheckedIOException error) {
        IOException cause = error.getCause();
        if (cause instanceof NoSuchFileException && !error.getMessage().contains("no such file")) {
            return error.getMessage() + ": no such file";
        }
        String reason = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return error.getMessage().contains(reason) ? error.getMessage() : error.getMessage() + ": " + reason;
    }

    private static void print(CommandLine line, String message) {
        line.getErr().println("peft4j: " + inOneLine(message));
    }

    /** Lines one after the other, with a mark between two of which the first has none. */
    static String inOneLine(String message) {
        return message.strip().replaceAll("(?<![.:;,!?\\s])\\s*\\R\\s*", "; ").replaceAll("\\s*\\R\\s*", " ");
    }

    /** The machine lacks what a command needs. */
    private static final class MachineException extends PeftException {
        private MachineException(String message, Error error) {
            super(message, error);
        }
    }
}
