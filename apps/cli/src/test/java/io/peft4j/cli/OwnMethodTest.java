package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.JavaPrograms;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The project that docs/extending.md shows compiles, and the command line finds what it registers.
 * {@code docs/try-as-new-user.sh} builds it with Maven and runs it, in Java and on the command line.
 */
@Tag("full")
class OwnMethodTest {
    private static final Path SOURCES = Path.of("../../examples/own-method/src/main/java");

    @TempDir
    private Path classes;

    private void compile() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter errors = new StringWriter();
        try (Stream<Path> files = Files.walk(SOURCES);
                StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
            assertTrue(sources.size() >= 5, sources.toString());
            boolean compiled = compiler.getTask(errors, manager, null, List.of("-proc:none", "-Xlint:all", "-d",
                    classes.toString(), "-cp", JavaPrograms.classPath()), null,
                    manager.getJavaFileObjectsFromPaths(sources))
                    .call();
            assertTrue(compiled, errors.toString());
        }
    }

    private String run(int status, Object... arguments) throws Exception {
        String more = String.join(File.pathSeparator, "", classes.toString(),
                SOURCES.resolveSibling("resources").toString());
        JavaProcess process = JavaProcess.start(classes, Files.writeString(classes.resolve("stdin.txt"), ""),
                Map.of(JavaProcess.MORE_CLASSES, more), List.of(), arguments);
        assertEquals(status, process.status(), process.err());
        return process.out() + process.err();
    }

    @Test
    void theCommandLineFindsWhatTheProjectRegisters() throws Exception {
        compile();
        Path data = Files.writeString(classes.resolve("data.jsonl"),
                "{\"prompt\": \"Who?\", \"completion\": \"The manager.\"}\n".repeat(4));
        Path output = classes.resolve("out");
        Object[] train = {"train", "--model", "../../tests/fixtures/tiny-llama", "--method", "ssf", "--data",
            data, "--epochs", "2", "--batch-size", "2", "--output", output, "--objective",
            "equal-answers", "--tracker", "lines", "--length-power", "0.5"};

        run(0, train);

        assertTrue(Files.readAllLines(output.resolve("lines.txt")).get(0).startsWith("out 1 {"));
        train[train.length - 1] = "-1";
        String wrong = run(2, train);
        assertTrue(wrong.contains("length power (--length-power) must be 0 or more, got -1.0"), wrong);
        String help = run(0, "train", "--help").replaceAll("\\s+", " ");
        assertTrue(help.contains("equal-answers: the answers of chats, each with the same weight")
                && help.contains("--length-power=P equal-answers: the power of an answer's length")
                && help.contains("lines[=FILE]"), help);
    }
}
