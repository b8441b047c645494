package io.peft4j.models.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The real thing: the test model from wherever this machine gets it. */
@Tag("model")
class SmolLmLocationTest {

    @Test
    void testModelIsFoundAndIntact() throws IOException {
        PipPackage row = PipPackage.TABLE.get(0);
        ModelSource source = ModelLocator.fromEnvironment().locate(row.id());
        assertEquals(row.id(), source.name());
        if (source instanceof ModelSource.GgufPath) {
            assertEquals(row.fileBytes(), Files.size(source.path()));
            assertEquals(row.fileSha256(), ExpectedHash.sha256(row.fileSha256()).of(source.path()));
        } else {
            // From the hub, whose checksum was compared on the way; the name of the blob is the checksum.
            var weights = source.path().resolve("model.safetensors").toRealPath();
            String name = weights.getFileName().toString();
            assertEquals(name, ExpectedHash.sha256(name).of(weights));
            assertTrue(Files.isRegularFile(source.path().resolve("tokenizer.json")));
        }
    }
}
