package io.peft4j.models.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ModelNotFoundException;
import io.peft4j.models.hub.ModelLocator.BundledModels;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that a jar brings, in a class path that is made for the test. */
class BundledModelsTest {
    private static final byte[] MODEL = "a model in a jar".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    private final ClassLoader before = Thread.currentThread().getContextClassLoader();

    @TempDir
    Path folder;

    @AfterEach
    void restore() {
        Thread.currentThread().setContextClassLoader(before);
    }

    private void onTheClassPath(String name, byte[] content) throws IOException {
        Path models = Files.createDirectories(folder.resolve("META-INF/peft4j/models"));
        Files.write(models.resolve(name + ".gguf"), content);
        Thread.currentThread().setContextClassLoader(
                new URLClassLoader(new URL[] {folder.toUri().toURL()}, before));
    }

    private ModelLocator locator() {
        return ModelLocator.builder().options(HubOptions.from(Map.of("HF_HUB_OFFLINE", "1", "HF_HOME",
                folder.resolve("hub").toString()))).build();
    }

    @Test
    void aModelOfTheClassPathIsFoundByItsNameAndNamedSoInAdapters() throws IOException {
        onTheClassPath("made-for-a-test", MODEL);
        ModelSource found = locator().locate("made-for-a-test");
        assertArrayEquals(MODEL, Files.readAllBytes(found.path()));
        assertEquals("made-for-a-test", found.name());
        assertEquals("class path", found.provenance().origin());
        Files.writeString(found.path(), "damaged");
        assertEquals(found.path(), locator().locate("made-for-a-test").path());
        assertArrayEquals(MODEL, Files.readAllBytes(found.path()), "what is damaged is copied again");
        Files.delete(found.path());
    }

    @Test
    void namesThatLeaveTheFolderAreNoNames() {
        assertEquals(Optional.empty(), BundledModels.find("../secret"));
        assertEquals(Optional.empty(), BundledModels.find("models/tiny"));
    }

    @Test
    void whoForgetsTheArtifactIsToldItsName() {
        String message = assertThrows(ModelNotFoundException.class, () -> locator().locate("tiny")).getMessage();
        assertTrue(message.contains("it comes with the artifact io.peft4j:peft-tiny-model, which is not on the class "
                + "path"), message);
    }
}
