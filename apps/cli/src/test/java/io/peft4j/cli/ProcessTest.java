package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own can show: signals, what native libraries print, and JShell. */
@Tag("jdk")
class ProcessTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama");

    @TempDir
    Path folder;

    /** A process in the background of a script ignores Ctrl-C, and so does what it starts, unless it asks for them. */
    private static final List<String> INTERRUPTIBLE = List.of("perl", "-e", "$SIG{INT} = 'DEFAULT'; exec @ARGV");

    private Path write(String name, String... lines) throws IOException {
        return Files.write(folder.resolve(name), List.of(lines));
    }

    @Tag("full")
    @Test
    void ctrlCLeavesAUsableAdapterAndAResumableRun() throws Exception {
        Path data = write("train.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}, "
                + "{\"role\": \"assistant\", \"content\": \"The keeper.\"}]}");
        Path output = folder.resolve("adapter");
        JavaProcess run = JavaProcess.start(folder, write("empty"), Map.of(), INTERRUPTIBLE, training(data, output));
        Path metrics = output.resolve("metrics.jsonl");
        while (run.process().isAlive() && (!Files.exists(metrics) || Files.size(metrics) == 0)) {
            TimeUnit.MILLISECONDS.sleep(50);
        }
        // Java itself can send SIGTERM only; the terminal's Ctrl-C is SIGINT.
        new ProcessBuilder("kill", "-INT", Long.toString(run.process().pid())).start().waitFor();
        assertEquals(128 + 2, run.status(), run.err());
        assertTrue(run.err().contains("Stopping after this step"), run.err());
        assertTrue(run.err().contains("cancelled after"), run.err());
        assertTrue(run.err().contains("adapter in " + output), run.err());
        String score = CommandRun.succeeding("score", "--model", MODEL, "--adapter", output, "--data", data, "--json")
                .out();
        String base = CommandRun.succeeding("score", "--model", MODEL, "--data", data, "--json").out();
        assertTrue(CommandRun.parse(score).get("nll").asDouble() < CommandRun.parse(base).get("nll").asDouble(),
                score + " against " + base);

        String card = Files.readString(output.resolve("README.md"));
        assertTrue(card.contains(" of 1,000, then cancelled |"), card);
        CommandRun.succeeding(Stream.concat(Stream.of(training(data, output)), Stream.of("--resume")).toArray());
        card = Files.readString(output.resolve("README.md"));
        assertTrue(card.contains("| steps | 1,000 of 1,000 |"), card);
        Path whole = folder.resolve("whole");
        CommandRun.succeeding(training(data, whole));
        assertArrayEquals(Files.readAllBytes(whole.resolve("adapter_model.safetensors")),
                Files.readAllBytes(output.resolve("adapter_model.safetensors")));
    }

    /** Some seconds of training. */
    private static Object[] training(Path data, Path output) {
        return new Object[] {"train", "--model", MODEL, "--data", data, "--output", output, "--epochs", 1000,
            "--learning-rate", "1e-4"};
    }

    @Test
    void onlyResultsAreOnStdout() throws Exception {
        Path data = write("data.jsonl", "{\"text\": \"Où est le gardien?\"}", "{\"input_ids\": [1, 2, 3]}");
        JavaProcess run = JavaProcess.start(folder, write("empty"), "score", "--model", MODEL, "--data", data,
                "--json");
        assertEquals(0, run.status(), run.err());
        List<JsonNode> rows = run.out().lines().map(CommandRun::parse).toList();
        assertEquals(2, rows.size());
        assertEquals("", run.err());
    }

    @Test
    void aFailureIsReportedInOneLine() throws Exception {
        JavaProcess run = JavaProcess.start(folder, write("empty"), "score", "--model", folder.resolve("none"),
                "--data",
                folder.resolve("none.jsonl"), "--json");
        assertEquals(1, run.status());
        assertEquals("", run.out());
        assertEquals(1, run.err().lines().count(), run.err());
    }

    @Tag("full")
    @Test
    void jshellRunsAScriptFromStdin() throws Exception {
        Path script = write("script.jsh",
                "try (BaseModel base = BaseModel.load(\"" + MODEL.toAbsolutePath() + "\")) {",
                "    PeftModel model = base.withAdapter(",
                "            LoraConfig.builder().rank(2).alpha(4).targetModules(ALL_LINEAR).build());",
                "    System.out.println(model.trainableSummary());",
                "}",
                "int answer = 6 * 7",
                "System.out.println(\"answer \" + answer)");
        JavaProcess run = JavaProcess.start(folder, script, "jshell");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().startsWith("trainable params: "), run.out() + run.err());
        assertEquals("answer 42", run.out().lines().reduce((a, b) -> b).orElseThrow());
        assertEquals("", run.err());
    }

    @Test
    void jshellRunsAScriptFromAFile() throws Exception {
        Path script = write("script.jsh", "System.out.println(ChatMessage.user(\"Who?\").role())");
        JavaProcess run = JavaProcess.start(folder, write("empty"), "jshell", script);
        assertEquals(0, run.status(), run.err());
        assertEquals("user", run.out().strip());
    }

    @Tag("full")
    @Test
    void aScriptOfWhichALineFailsIsAFailure() throws Exception {
        for (String line : List.of("int broken = \"text\"", "List.of(1).get(7)", "/nonsense")) {
            Path script = write("script.jsh", line, "System.out.println(\"went on\")");
            JavaProcess run = JavaProcess.start(folder, script, "jshell");
            assertEquals(1, run.status(), line);
            assertEquals("went on", run.out().strip(), line);
            assertTrue(run.err().matches("(?s)(Error:|Exception |Invalid command:).*"), run.err());
        }
    }

    @Tag("full")
    @Test
    void aScriptThatBreaksOffIsAFailure() throws Exception {
        Path script = write("script.jsh", "System.out.println(\"begun, \" + OVERWRITE)", "System.out.println(\"a\"",
                "System.out.println(\"b\")");
        JavaProcess piped = JavaProcess.start(folder, script, "jshell");
        assertEquals(1, piped.status());
        assertEquals("begun, overwrite", piped.out().strip());
        String problem = "the snippet that begins in line 2 is not complete; neither it nor what follows it was "
                + "run";
        // Newer JShells print the snippet before.
        assertTrue(piped.err().strip().endsWith("Error: " + problem), piped.err());
        JavaProcess file = JavaProcess.start(folder, write("empty"), "jshell", script);
        assertEquals(1, file.status());
        assertTrue(file.err().strip().endsWith("Error: " + script + ": " + problem), file.err());
    }

    @Tag("full")
    @Test
    void jshellDrawsALossCurveAndSaysWhereAPageLies() throws Exception {
        Path page = write("training.html", "<html></html>");
        Path data = write("rows.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}, "
                + "{\"role\": \"assistant\", \"content\": \"Nobody.\"}]}");
        Path script = write("script.jsh", "System.setProperty(\"java.awt.headless\", \"true\")",
                "var base = Peft4j.load(\"" + MODEL.toAbsolutePath() + "\")",
                "var model = base.withAdapter(Peft4j.lora().rank(2).build())",
                "plot(Peft4j.trainer(model).epochs(5).build().train(Peft4j.chats(Path.of(\"" + data + "\"))))",
                "open(Path.of(\"" + folder + "\"))");
        JavaProcess run = JavaProcess.start(folder, script, "jshell");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("\u2524"), run.out());
        assertTrue(run.out().contains("training loss, steps 1 to 5"), run.out());
        assertEquals("the page is " + page, run.out().lines().reduce((a, b) -> b).orElseThrow());
    }
}
