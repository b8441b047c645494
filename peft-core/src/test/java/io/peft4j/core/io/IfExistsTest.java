package io.peft4j.core.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IfExistsTest {
    @TempDir
    Path folder;

    @Test
    void aFreeNameIsTakenAsItIs() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        for (IfExists policy : IfExists.values()) {
            assertEquals(folder.resolve("new"), policy.choose(folder.resolve("new")));
            assertEquals(empty, policy.choose(empty), "an empty folder is free");
        }
    }

    @Test
    void aTakenNameIsRefusedWithWhatCanBeDone() throws IOException {
        Path file = Files.writeString(folder.resolve("my.gguf"), "x");
        String message = assertThrows(ConfigurationException.class, () -> IfExists.FAIL.choose(file)).getMessage();
        assertTrue(message.startsWith(file + " exists already; choose another name"), message);
        assertTrue(message.contains("IfExists.NEXT") && message.contains("IfExists.OVERWRITE"), message);
        assertEquals(file, IfExists.OVERWRITE.choose(file));
    }

    @Test
    void theNextNameHasANumberBeforeItsEnding() throws IOException {
        assertNext("my.gguf", "my-2.gguf");
        assertNext("my-2.gguf", "my-2-2.gguf");
        Files.writeString(folder.resolve("rows.jsonl"), "x");
        Files.writeString(folder.resolve("rows-2.jsonl"), "x");
        assertEquals(folder.resolve("rows-3.jsonl"), IfExists.NEXT.choose(folder.resolve("rows.jsonl")));
        assertNext("rows.jsonl.gz", "rows-2.jsonl.gz");
        assertNext("handbook-adapter", "handbook-adapter-2");
        assertNext("v1.2", "v1.2-2");
        assertNext(".hidden", ".hidden-2");
    }

    private void assertNext(String taken, String next) throws IOException {
        Files.writeString(folder.resolve(taken), "x");
        assertEquals(folder.resolve(next), IfExists.NEXT.choose(folder.resolve(taken)));
    }

    @Test
    void anUnknownNameIsAnsweredWithTheNearest() {
        assertEquals(IfExists.OVERWRITE, IfExists.named("overwrite"));
        String message = assertThrows(ConfigurationException.class, () -> IfExists.named("overwite")).getMessage();
        assertTrue(message.contains("overwite") && message.contains("overwrite"), message);
    }
}
