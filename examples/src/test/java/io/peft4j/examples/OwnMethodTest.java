package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The project that docs/extending.md shows compiles. {@code docs/try-as-new-user.sh} builds it with Maven and runs it,
 * in Java and on the command line.
 */
class OwnMethodTest {
    private static final Path SOURCES = Path.of("own-method", "src", "main", "java");

    @TempDir
    private Path classes;

    @Test
    void theProjectCompiles() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter errors = new StringWriter();
        try (Stream<Path> files = Files.walk(SOURCES);
                StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
            assertTrue(sources.size() >= 5, sources.toString());
            boolean compiled = compiler.getTask(errors, manager, null, List.of("-proc:none", "-Xlint:all", "-d",
                    classes.toString(), "-cp", System.getProperty("surefire.test.class.path",
                            System.getProperty("java.class.path"))),
                    null, manager.getJavaFileObjectsFromPaths(sources))
                    .call();
            assertTrue(compiled, errors.toString());
        }
    }
}
