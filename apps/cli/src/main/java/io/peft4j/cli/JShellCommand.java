package io.peft4j.cli;

import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jdk.jshell.JShell;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import jdk.jshell.tool.JavaShellToolBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code peft4j jshell}: Java line by line, with the class path and the imports set. */
@Command(name = "jshell", description = {"Starts JShell with PEFT4J's class path and imports.",
    "A script can be given as a file or piped in; its output goes to stdout, and the exit code is 1 if a line of it "
            + "fails."})
final class JShellCommand extends PeftCommand {
    private static final String STARTUP = "startup.jsh";

    @Parameters(paramLabel = "FILE", arity = "0..*", description = "Scripts to run first.")
    private List<Path> scripts = List.of();

    @Override
    public Integer call() throws Exception {
        Path startup = Files.createTempFile("peft4j", ".jsh");
        try (InputStream in = JShellCommand.class.getResourceAsStream(STARTUP)) {
            Files.write(startup, in.readAllBytes());
            JavaShellToolBuilder tool = JavaShellToolBuilder.builder();
            String[] arguments = arguments(startup).toArray(String[]::new);
            return Console.isTypedTo() ? tool.start(arguments) : script(tool, arguments);
        } finally {
            Files.deleteIfExists(startup);
        }
    }

    /** Without a terminal: JShell's messages go to stderr, a failing line is a failure, no preferences are kept. */
    private int script(JavaShellToolBuilder tool, String... arguments) throws Exception {
        ShellMessages messages = new ShellMessages(console().err());
        Transcript stdin = new Transcript(System.in);
        int status;
        try (PrintStream said = new PrintStream(messages, true, StandardCharsets.UTF_8)) {
            status = tool.persistence(new HashMap<>()).locale(Locale.ROOT).in(stdin, null).out(said, said, System.out)
                    .err(said, System.err).start(arguments);
        }
        boolean broken = isUnfinished(stdin.text(), "");
        for (Path script : scripts) {
            broken |= isUnfinished(Files.readString(script), script + ": ");
        }
        return status == 0 && (broken || messages.haveFailure()) ? 1 : status;
    }

    private boolean isUnfinished(String script, String place) {
        OptionalInt line = UnfinishedSnippet.line(script);
        line.ifPresent(begun -> console().say("Error: %sthe snippet that begins in line %d is not complete; neither it "
                + "nor what follows it was run", place, begun));
        return line.isPresent();
    }

    /** Passes on what is read, and keeps it. */
    private static final class Transcript extends FilterInputStream {
        private final ByteArrayOutputStream read = new ByteArrayOutputStream();

        Transcript(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int value = in.read();
            if (value >= 0) {
                read.write(value);
            }
            return value;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int count = in.read(target, offset, length);
            read.write(target, offset, Math.max(0, count));
            return count;
        }

        String text() {
            return read.toString(Charset.defaultCharset());
        }
    }

    private List<String> arguments(Path startup) {
        List<String> arguments = new ArrayList<>(List.of("--class-path", System.getProperty("java.class.path"),
                "--startup", "DEFAULT", "--startup", startup.toString()));
        options().map(option -> "-R" + option).forEach(arguments::add);
        for (Path script : scripts) {
            if (!Files.isReadable(script)) {
                throw new UncheckedIOException("cannot read the script " + script,
                        new NoSuchFileException(script.toString()));
            }
            arguments.add(script.toString());
        }
        if (!Console.isTypedTo()) {
            arguments.add("-");
        }
        return arguments;
    }

    /** Options of the JVM that runs the lines: those of this one. */
    private static Stream<String> options() {
        return java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments().stream();
    }

    /**
     * Passes on what JShell says of a script, and notes whether it tells of a failure: JShell itself ends with 0
     * whatever happened.
     */
    private static final class ShellMessages extends OutputStream {
        /**
         * How JShell begins its messages about a line that does not compile, one that throws, an unknown command, a
         * program that ended, and a missing file: behind a bar if it takes input for typed.
         */
        private static final Pattern FAILURE = Pattern.compile(
                "(\\|  )?(Error:|Exception |Invalid command:|State engine terminated|File ').*");

        private final PrintWriter out;
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();
        private boolean failure;

        ShellMessages(PrintWriter out) {
            this.out = out;
        }

        @Override
        public void write(int value) {
            if (value == '\n') {
                endLine();
            } else {
                line.write(value);
            }
        }

        private void endLine() {
            String text = line.toString(StandardCharsets.UTF_8);
            line.reset();
            failure |= FAILURE.matcher(text).matches();
            out.println(text);
            out.flush();
        }

        @Override
        public void close() {
            if (line.size() > 0) {
                endLine();
            }
        }

        /** Whether a line failed. */
        boolean haveFailure() {
            return failure;
        }
    }

    /**
     * Finds what a script for JShell breaks off in: an open bracket takes all lines behind it along, and JShell drops
     * it at the end without a word.
     */
    static final class UnfinishedSnippet {
        private UnfinishedSnippet() {
        }

        /**
         * The number of the line on which the snippet begins that the script does not end; empty if there is none.
         */
        static OptionalInt line(String script) {
            try (JShell shell = JShell.builder().executionEngine("local").build()) {
                return line(shell.sourceCodeAnalysis(), script.split("\\R", -1));
            }
        }

        private static OptionalInt line(SourceCodeAnalysis analysis, String... lines) {
            String open = "";
            int begun = 0;
            for (int i = 0; i < lines.length; i++) {
                if (open.isBlank()) {
                    String word = lines[i].strip();
                    if (word.startsWith("/ex")) {
                        return OptionalInt.empty();
                    }
                    if (word.startsWith("/") && !word.startsWith("//") && !word.startsWith("/*")) {
                        continue;
                    }
                    open = "";
                    begun = i + 1;
                }
                String before = open;
                open = rest(analysis, open + lines[i] + "\n");
                // What is open now began on this line where something before it ended here.
                begun = open.length() <= lines[i].length() + 1 && !before.isEmpty() ? i + 1 : begun;
            }
            return open.isBlank() ? OptionalInt.empty() : OptionalInt.of(begun);
        }

        /** What is left of a text behind its complete snippets. */
        private static String rest(SourceCodeAnalysis analysis, String text) {
            String rest = text;
            while (!rest.isBlank()) {
                CompletionInfo info = analysis.analyzeCompletion(rest);
                if (!info.completeness().isComplete()) {
                    return info.completeness() == SourceCodeAnalysis.Completeness.EMPTY ? "" : rest;
                }
                if (info.remaining().length() >= rest.length()) {
                    return "";
                }
                rest = info.remaining();
            }
            return "";
        }
    }
}
