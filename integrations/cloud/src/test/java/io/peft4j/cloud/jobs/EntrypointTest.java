package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the entry point of the image starts, with a stand-in for Java. */
class EntrypointTest {
    @TempDir
    Path folder;

    private String started(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        Path java = folder.resolve("java");
        Files.writeString(java, "#!/bin/sh\necho \"$$ $@\"\n");
        assertTrue(java.toFile().setExecutable(true));
        List<String> words = new ArrayList<>(List.of(Path.of("docker/entrypoint").toAbsolutePath().toString()));
        words.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.environment().putAll(environment);
        builder.environment().put("PATH", folder + ":" + System.getenv("PATH"));
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), out);
        // Java has the shell's place, so that signals reach it.
        assertTrue(out.startsWith(process.pid() + " "), out);
        return out;
    }

    /** The words of the command line in what was started. */
    private static String command(String started) {
        return started.replaceFirst(".* io\\.peft4j\\.cli\\.Main", "").strip();
    }

    @Test
    void serversAnswerInVectorRegisters() throws Exception {
        String vectors = "--add-modules jdk.incubator.vector";
        assertTrue(started(Map.of(), "serve").contains(vectors));
        assertFalse(started(Map.of(), "train").contains(vectors));
    }

    @Test
    void trainAndServeAreThoseOfTheCloudThatAsks() throws Exception {
        assertEquals("sagemaker train", command(started(Map.of(), "train")));
        assertEquals("sagemaker serve", command(started(Map.of(), "serve")));
        assertEquals("vertex train", command(started(Map.of("AIP_MODEL_DIR", "gs://bucket/model"), "train")));
        assertEquals("vertex serve", command(started(Map.of("AIP_HTTP_PORT", "8080"), "serve")));
    }

    @Test
    void allElseIsTheCommandLines() throws Exception {
        assertEquals("train --model m --data d.jsonl",
                command(started(Map.of(), "train", "--model", "m", "--data", "d.jsonl")));
        assertEquals("vertex train", command(started(Map.of(), "vertex", "train")));
        assertEquals("", command(started(Map.of())));
    }
}
