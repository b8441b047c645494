package io.peft4j.core.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.io.TestFiles;
import io.peft4j.core.weight.BlockType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
    @TempDir
    Path folder;

    @Test
    void writtenFilesAreReadBack() {
        Path path = folder.resolve("f.gguf");
        new GgufWriter().string("s", "\u00fc").uint32("u", 4294967295L).float32("f", 0.1f).bool("b", true)
                .strings("ss", List.of("a", "")).int32s("is", 1, -2).float32s("fs", 1.5f, -0f)
                .tensor("scalar", BlockType.F32, new long[0], floats(7))
                .tensor("matrix", BlockType.F32, new long[] {2, 3}, floats(1, 2, 3, 4, 5, 6))
                .write(path);
        try (GgufFile file = GgufFile.open(path)) {
            GgufMetadata m = file.metadata();
            assertEquals(List.of("s", "u", "f", "b", "ss", "is", "fs"), List.copyOf(m.keys()));
            assertEquals("\u00fc", m.string("s"));
            assertEquals(4294967295L, m.integer("u"));
            assertEquals(0.1f, m.floating("f"));
            assertTrue(m.bool("b"));
            assertEquals(List.of("a", ""), m.strings("ss"));
            assertArrayEquals(new long[] {1, -2}, m.integers("is"));
            assertArrayEquals(new float[] {1.5f, -0f}, m.floats("fs"));
            assertArrayEquals(new float[] {7}, file.readFloats("scalar"));
            assertArrayEquals(new long[] {2, 3}, file.shape("matrix"));
            assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, file.readFloats("matrix"));
        }
    }

    @Test
    void copiesAReferenceFileByteForByte() throws IOException {
        Path fixture = TestFiles.fixture("gguf/types.gguf");
        Path copy = folder.resolve("copy.gguf");
        GgufWriter writer = new GgufWriter();
        try (GgufFile file = GgufFile.open(fixture)) {
            file.metadata().keys().forEach(key -> writer.string(key, file.metadata().string(key)));
            file.tensors().forEach((name, tensor) -> writer.tensor(name, tensor.type().orElseThrow(), tensor.shape(),
                    file.bytes(name)));
        }
        writer.write(copy);
        assertArrayEquals(Files.readAllBytes(fixture), Files.readAllBytes(copy));
    }

    @Test
    void mismatchingDataIsRefused() {
        GgufWriter writer = new GgufWriter();
        assertMessage("u cannot be -1; it must be from 0 to 4294967295", () -> writer.uint32("u", -1));
        assertMessage("t: 4 bytes are not F32[2]", () -> writer.tensor("t", BlockType.F32, new long[] {2}, floats(1)));
        assertMessage("t: 18 bytes are not Q4_0[2, 16]",
                () -> writer.tensor("t", BlockType.Q4_0, new long[] {2, 16}, ByteBuffer.allocate(18)));
        assertMessage("t: 4 bytes are not F32[1, 1, 1, 1, 1]",
                () -> writer.tensor("t", BlockType.F32, new long[] {1, 1, 1, 1, 1}, floats(1)));
    }

    private static ByteBuffer floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    private static void assertMessage(String part, Executable action) {
        String message = assertThrows(IllegalArgumentException.class, action).getMessage();
        assertTrue(message.contains(part), message);
    }
}
