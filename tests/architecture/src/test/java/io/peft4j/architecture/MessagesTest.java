package io.peft4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the libraries say is of no use to a program that has no command line: their messages name the thing, and the
 * command line adds the option ({@code OptionNames}).
 */
class MessagesTest {
    private static final Path ROOT = Path.of("../..");
    /** An option in a string, also one that is made there, or a command of ours. */
    private static final Pattern COMMAND_LINE = Pattern.compile(
            "\"([^\"\\\\]|\\\\.)*(--[a-zA-Z]|(?<=[ (])--\"|peft4j (data|train|serve|jshell|runs|evaluate|sweep) )");

    /** Classes that write a command line of ours for others, and those that speak of another program's. */
    private static final Set<String> MEANT = Set.of(
            "Hosts", "SageMakerTraining", "VertexTraining", // the command line of a job
            "RescueReport", // how to serve what was rescued
            "PipCommand", // pip's
            "TuningController", // curl's
            "GgufFile", // llama.cpp's
            "AdapterExport", // vLLM's
            "AdapterSignature", // OpenSSL's
            "MachineReport", "VectorLoopProvider"); // Java's

    /** The list of exceptions has nothing in it that is none. */
    @Test
    void onlyTheCommandLineSpeaksOfItsOptions() throws IOException {
        assertEquals(new TreeSet<>(MEANT), speakingOfOptions());
    }

    private static Set<String> speakingOfOptions() throws IOException {
        try (Stream<Path> folders = Files.walk(ROOT, 5)) {
            return folders.filter(folder -> folder.endsWith("src/main/java"))
                    .filter(folder -> !folder.startsWith(ROOT.resolve("apps/cli"))
                            && !folder.startsWith(ROOT.resolve("examples"))
                            && !folder.startsWith(ROOT.resolve("benchmarks")))
                    .flatMap(MessagesTest::sources)
                    .filter(source -> read(source).lines().filter(line -> !line.strip().startsWith("*"))
                            .anyMatch(line -> COMMAND_LINE.matcher(line).find()))
                    .map(source -> source.getFileName().toString().replace(".java", ""))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static Stream<Path> sources(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> file.toString().endsWith(".java")).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
