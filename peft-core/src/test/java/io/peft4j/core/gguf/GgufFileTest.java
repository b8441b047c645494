package io.peft4j.core.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.TestFiles;
import io.peft4j.core.weight.BlockType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class GgufFileTest {
    private static final Path METADATA = TestFiles.fixture("gguf/metadata.gguf");

    @TempDir
    Path folder;

    @Test
    void readsEveryTypeOfMetadata() {
        GgufMetadata m;
        try (GgufFile file = GgufFile.open(METADATA)) {
            m = file.metadata();
        }
        // The metadata is used after the file was closed.
        assertEquals(200, m.integer("a.uint8"));
        assertEquals(-100, m.integer("a.int8"));
        assertEquals(60000, m.integer("a.uint16"));
        assertEquals(-30000, m.integer("a.int16"));
        assertEquals(4000000000L, m.integer("a.uint32"));
        assertEquals(-2000000000, m.integer("a.int32"));
        assertEquals(-(1L << 62), m.integer("a.int64"));
        assertEquals(0.1f, m.floating("a.float32"));
        assertEquals(1e300, m.floating("a.float64"));
        assertEquals(200, m.floating("a.uint8"));
        assertTrue(m.bool("a.true"));
        assertFalse(m.bool("a.false"));
        assertEquals("K\u00fcndigungsfrist: 90 Tage \ud83d\ude00", m.string("a.string"));
        assertEquals(new BigInteger("18446744073709551615"), m.value("a.uint64"));
        assertEquals(List.of("", "a", "\u0120the", "\n"), m.strings("a.strings"));
        assertArrayEquals(new long[] {1, -2, 3}, m.integers("a.integers"));
        assertArrayEquals(new float[] {1, -2, 3}, m.floats("a.integers"));
        assertArrayEquals(new float[] {0.5f, -1.25f}, m.floats("a.floats"));
        assertArrayEquals(new long[] {0, 1, 255}, m.integers("a.bytes"));
        assertEquals(List.of(true, false), m.value("a.bools"));
        assertEquals(List.of(List.of(1L, 2L), List.of(3L), List.of(4L, 5L, 6L)), m.value("a.nested"));
        assertEquals(GgufType.ARRAY, m.type("a.nested"));
        assertEquals("general.architecture", m.keys().iterator().next());
        assertThrows(UnsupportedOperationException.class, () -> m.keys().clear());
    }

    @Test
    void missingKeysMayHaveAFallback() {
        try (GgufFile file = GgufFile.open(METADATA)) {
            GgufMetadata m = file.metadata();
            assertFalse(m.has("no"));
            assertEquals("x", m.string("no", "x"));
            assertEquals(7, m.integer("no", 7));
            assertEquals(0.5, m.floating("no", 0.5));
            assertTrue(m.bool("no", true));
            assertEquals("llama", m.string("general.architecture", "x"));
            assertEquals(200, m.integer("a.uint8", 7));
            assertEquals(0.1f, m.floating("a.float32", 7));
            assertTrue(m.bool("a.true", false));
        }
    }

    @Test
    void wrongKeysAndTypesAreReportedWithTheActualOnes() {
        try (GgufFile file = GgufFile.open(METADATA)) {
            GgufMetadata m = file.metadata();
            assertMessage("no metadata key 'a.strin'; the nearest of 21 are 'a.string', 'a.strings', ",
                    () -> m.string("a.strin"));
            assertMessage("key 'a.uint8' is UINT8, expected a string", () -> m.string("a.uint8"));
            assertMessage("key 'a.string' is STRING, expected an integer", () -> m.integer("a.string"));
            assertMessage("key 'a.float32' is FLOAT32, expected an integer", () -> m.integer("a.float32"));
            assertMessage("key 'a.string' is STRING, expected a number", () -> m.floating("a.string"));
            assertMessage("key 'a.true' is BOOL, expected a number", () -> m.floating("a.true"));
            assertMessage("key 'a.uint8' is UINT8, expected a boolean", () -> m.bool("a.uint8"));
            assertMessage("key 'a.string' is STRING, expected an array of strings", () -> m.strings("a.string"));
            assertMessage("is an array of another type, expected an array of strings", () -> m.strings("a.integers"));
            assertMessage("is an array of another type, expected an array of integers", () -> m.integers("a.floats"));
            assertMessage("is an array of another type, expected an array of integers", () -> m.integers("a.nested"));
            assertMessage("is an array of another type, expected an array of numbers", () -> m.floats("a.bools"));
            assertMessage("'a.uint64', 18446744073709551615, is implausibly large", () -> m.integer("a.uint64"));
        }
    }

    @Test
    void readsTensorsInPyTorchsOrderOfDimensions() {
        try (GgufFile file = GgufFile.open(METADATA)) {
            assertEquals(3, file.version());
            assertEquals(List.of("one", "two"), List.copyOf(file.names()));
            assertArrayEquals(new long[] {2, 3}, file.shape("one"));
            assertArrayEquals(new long[] {2, 3, 4}, file.shape("two"));
            assertEquals(0, file.info("two").offset() % 64);
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, file.readFloats("one"));
            assertEquals(48, file.length("two"));
            try (INDArray two = file.readF32("two")) {
                assertEquals(2 * 3 * 4 - 1, two.getFloat(1, 2, 3));
            }
            float[] piece = new float[3];
            file.readFloats("two", 5, piece, 1, 2);
            assertArrayEquals(new float[] {0, 5, 6}, piece);
            assertThrows(IndexOutOfBoundsException.class, () -> file.readFloats("two", 23, piece, 0, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> file.readBytes("two", 47, new byte[2], 0, 2));
            assertMessage("no tensor 'on'; there are 'one' and 'two'", () -> file.readFloats("on"));
        }
    }

    @Test
    void quantizedTensorsGoToNativeMemoryAsTheyAreAndAsFloats() {
        String name = "blk.0.q4_1.weight";
        try (GgufFile file = GgufFile.open(TestFiles.fixture("gguf/types.gguf"));
                BytePointer memory = new BytePointer(3 * 512 * 4)) {
            float[] expected = file.readFloats(name);
            assertEquals(BlockType.Q4_1.bytes(expected.length), file.length(name));
            file.copyBytes(name, memory.address());
            float[] values = new float[expected.length];
            BlockType.Q4_1.dequantize(memory.address(), 0, values, 0, values.length);
            assertArrayEquals(expected, values);
            file.readF32(name, memory.address());
            NativeMemory.read(memory.address(), values, 0, values.length);
            assertArrayEquals(expected, values);
            file.readBf16(name, memory.address());
            short[] halves = new short[expected.length];
            NativeMemory.read(memory.address(), halves, 0, halves.length);
            for (int i = 0; i < halves.length; i++) {
                assertEquals(BFloat16.fromFloat(expected[i]), halves[i]);
            }
        }
    }

    @Test
    void readsVersionTwo() throws IOException {
        byte[] bytes = Files.readAllBytes(METADATA);
        bytes[4] = 2;
        try (GgufFile file = GgufFile.open(TestFiles.write(folder, "v2.gguf", bytes))) {
            assertEquals(2, file.version());
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, file.readFloats("one"));
        }
    }

    @Test
    void aTypeThatCannotBeReadIsAnErrorOnUseOnly() throws IOException {
        byte[] bytes = RawGguf.head(2, 0).tensor("a", 23, 0, 256).tensor("b", 0, 192, 2).data(200).toBytes();
        try (GgufFile file = GgufFile.open(TestFiles.write(folder, "f.gguf", bytes))) {
            assertTrue(file.blockType("a").isEmpty());
            assertEquals(192, file.bytes("a").remaining());
            assertArrayEquals(new float[2], file.readFloats("b"));
            assertMessage("tensor 'a' is of ggml's type IQ4_XS, which is not supported; supported are [F32, F16",
                    () -> file.readFloats("a"));
            assertMessage("llama-quantize --allow-requantize", () -> file.readF32("a"));
            assertEquals("a IQ4_XS[256] at " + file.info("a").offset() + ", 192 bytes", file.info("a").toString());
        }
    }

    @Test
    void readsFarBehindTwoGigabytes() throws IOException {
        // The file is sparse: it takes a few blocks on the disk.
        long far = 5L << 30;
        byte[] head = RawGguf.head(2, 0).tensor("big", 8, 0, 1L << 20, 4096).tensor("far", 0, far, 2).data(0).toBytes();
        Path path = TestFiles.write(folder, "large.gguf", head);
        long big = (1L << 32) / 32 * 34;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(head.length + far + 8);
            file.seek(head.length + far + 6);
            file.write(new byte[] {(byte) 0x80, 0x3f});
            file.seek(head.length + big - 34);
            file.write(new byte[] {0, 0x3c, 5});
        }
        try (GgufFile file = GgufFile.open(path)) {
            assertArrayEquals(new float[] {0, 1}, file.readFloats("far"));
            float[] row = new float[64];
            file.readFloats("big", (1L << 32) - 64, row, 0, 64);
            assertEquals(5, row[32]);
            assertEquals(big, file.length("big"));
            assertThrows(IllegalArgumentException.class, () -> file.readFloats("big"));
            assertThrows(IllegalArgumentException.class, () -> file.bytes("big"));
        }
    }

    @Test
    void aClosedFileIsReportedAndViewsStayValid() {
        GgufFile file = GgufFile.open(METADATA);
        ByteBuffer view = file.bytes("one");
        file.close();
        assertThrows(IllegalStateException.class, () -> file.readFloats("one"));
        assertEquals(5f, view.getFloat(20));
    }

    private static void assertMessage(String part, Executable action) {
        String message = assertThrows(FileFormatException.class, action).getMessage();
        assertTrue(message.contains(part), message);
    }
}
