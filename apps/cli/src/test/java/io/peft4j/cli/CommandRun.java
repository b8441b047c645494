package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;

/**
 * What a command line did, run in this process.
 *
 * @param status exit status
 * @param out what it wrote to stdout
 * @param err what it wrote to stderr
 */
record CommandRun(int status, String out, String err) {
    /** The tiny models and adapters that Hugging Face made. */
    static final Path FIXTURES = Path.of("../../tests/fixtures");
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    static CommandRun of(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = List.of(arguments).stream().map(Object::toString).toArray(String[]::new);
        // Of the commands only the named one is read, as where a process starts.
        CommandLine line = Main.commandLine(new Interrupts(), words).setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true));
        return new CommandRun(line.execute(words), out.toString(), err.toString());
    }

    /** Runs a command that must succeed. */
    static CommandRun succeeding(Object... arguments) {
        CommandRun run = of(arguments);
        assertEquals(0, run.status(), run.err());
        return run;
    }

    /** Runs a command that must fail with one line and nothing on stdout; gives the line. */
    static String failing(int status, Object... arguments) {
        CommandRun run = of(arguments);
        assertEquals(status, run.status(), run.err());
        assertEquals("", run.out());
        return run.err();
    }

    /** Stdout as JSON objects; fails where a line is none. */
    List<JsonNode> json() {
        return out.lines().map(CommandRun::parse).toList();
    }

    /** Reads one JSON object. */
    static JsonNode parse(String line) {
        try {
            JsonNode node = JSON.readTree(line);
            assertEquals(true, node != null && node.isObject(), line);
            return node;
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + line, e);
        }
    }

    /** Reads a file that holds one JSON object. */
    static JsonNode read(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
