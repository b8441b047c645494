package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.Task;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * OpenAI's client for Python and System One's ask for answers; {@code ask_server.py} holds what it expects. Runs with
 * {@code -Dpeft4j.serve.python=PYTHON}, a Python that has the packages {@code openai} and {@code typesafe-sdk}.
 */
class AnswersByPythonClientTest {
    private static final Path SCRIPT = Path.of("src/test/python/ask_server.py");

    @TempDir
    Path folder;

    @Test
    void clientsForPythonAreAnswered() throws IOException, InterruptedException {
        Path out = folder.resolve("python.txt");
        try (BaseModel embedder = BaseModel.load(
                AnsweringServer.FIXTURES.resolve("sentences/mean-normalized").toString(),
                ModelOptions.defaults().withTask(Task.EMBEDDING));
                AnsweringServer server = new AnsweringServer(folder, builder -> builder.apiKey("sk-test")
                        .adapter("tuned", AnsweringServer.FIXTURES.resolve("adapters/lora"))
                        .answering(AnsweringOptions.defaults().withModel("vectors", embedder)))) {
            Process process = new ProcessBuilder(System.getProperty("peft4j.serve.python"), SCRIPT.toString(),
                    server.url(), "sk-test").redirectErrorStream(true).redirectOutput(out.toFile()).start();
            boolean ended = process.waitFor(3, TimeUnit.MINUTES);
            process.destroyForcibly();
            String said = Files.readString(out);
            assertTrue(ended, said);
            assertEquals(0, process.exitValue(), said);
        }
    }
}
