package io.peft4j.cloud.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
        return out.replaceFirst(".* io\\.peft4j\\.cli\\.Main", "").strip();
    }

    @Test
    void trainAndServeAreThoseOfTheCloudThatAsks() throws Exception {
        assertEquals("sagemaker train", started(Map.of(), "train"));
        assertEquals("sagemaker serve", started(Map.of(), "serve"));
        assertEquals("vertex train", started(Map.of("AIP_MODEL_DIR", "gs://bucket/model"), "train"));
        assertEquals("vertex serve", started(Map.of("AIP_HTTP_PORT", "8080"), "serve"));
    }

    @Test
    void allElseIsTheCommandLines() throws Exception {
        assertEquals("train --model m --data d.jsonl", started(Map.of(), "train", "--model", "m", "--data", "d.jsonl"));
        assertEquals("vertex train", started(Map.of(), "vertex", "train"));
        assertEquals("", started(Map.of()));
    }
}
