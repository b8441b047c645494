package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Schemathesis (<a href="https://schemathesis.readthedocs.io">schemathesis.readthedocs.io</a>) makes requests, most of
 * them wrong, from the description that the server gives of itself. Runs with {@code -Dpeft4j.serve.python=PYTHON}, a
 * Python that has the package {@code schemathesis}.
 */
class GeneratedRequestsByPythonClientTest {
    private static final String KEY = "sk-test";
    /** More find more, and take longer. */
    private static final String REQUESTS = System.getProperty("peft4j.serve.requests", "8");

    @TempDir
    Path folder;

    @Test
    void requestsMadeFromTheDescriptionGetDescribedAnswersAndNoFault()
            throws IOException, InterruptedException {
        Path out = folder.resolve("schemathesis.txt");
        try (TestServer server = TestServer.start(folder.resolve("server"), builder -> builder.apiKey(KEY))) {
            Process process = new ProcessBuilder(List.of(System.getProperty("peft4j.serve.python"), "-m",
                    "schemathesis.cli", "run", server.url() + "/openapi.json", "--header",
                    "Authorization: Bearer " + KEY, "--seed", "1", "--max-examples", REQUESTS, "--checks",
                    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                    "--phases", "coverage,fuzzing", "--continue-on-failure", "--no-shrink", "--request-timeout", "30"))
                    .directory(folder.toFile()).redirectErrorStream(true).redirectOutput(out.toFile()).start();
            boolean ended = process.waitFor(5, TimeUnit.MINUTES);
            process.destroyForcibly();
            String said = Files.readString(out);
            assertTrue(ended, said);
            assertEquals(0, process.exitValue(), said);
        }
    }
}
