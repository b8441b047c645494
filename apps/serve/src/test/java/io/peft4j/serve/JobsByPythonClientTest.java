package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.eval.VerdictOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * OpenAI's client for Python drives whole jobs by the address alone; {@code drive_server.py} holds what it expects.
 * Runs with {@code -Dpeft4j.serve.python=PYTHON}, a Python that has the package {@code openai}.
 */
class JobsByPythonClientTest {
    private static final Path SCRIPT = Path.of("src/test/python/drive_server.py");

    @TempDir
    Path data;

    @Test
    void openAisClientForPythonDrivesWholeJobs() throws IOException, InterruptedException {
        String python = System.getProperty("peft4j.serve.python");
        Path out = data.resolve("python.txt");
        try (TestServer server = TestServer.start(data.resolve("server"), builder -> builder.apiKey("sk-test")
                .verdict(new VerdictOptions(2, 0, 4)))) {
            Process process = new ProcessBuilder(python, SCRIPT.toString(), server.url(), "sk-test")
                    .redirectErrorStream(true).redirectOutput(out.toFile()).start();
            boolean ended = process.waitFor(3, TimeUnit.MINUTES);
            process.destroyForcibly();
            String said = Files.readString(out);
            assertTrue(ended, said);
            assertEquals(0, process.exitValue(), said);
        }
    }
}
