package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model folder says is to be served. */
class ContainerModelTest {
    @TempDir
    Path folder;

    private ContainerModel served() {
        return ContainerModel.served(folder, Optional.of("a/model"), Optional.empty());
    }

    @Test
    void theAdapterInTheFolderIsServedAndElseTheBase() throws IOException {
        assertEquals(new ContainerModel("a/model", Optional.empty()), served());
        Files.writeString(folder.resolve("adapter_config.json"), "{}");
        assertEquals(new ContainerModel("a/model", Optional.of(folder)), served());
    }

    @Test
    void theBaseIsNotServedInThePlaceOfAdaptersInFolders() throws IOException {
        for (String name : new String[] {"hr", "ferry"}) {
            Files.writeString(Files.createDirectory(folder.resolve(name)).resolve("adapter_config.json"), "{}");
        }
        String message = assertThrows(ConfigurationException.class, this::served).getMessage();
        assertTrue(message.contains("[ferry, hr]"), message);
    }
}
