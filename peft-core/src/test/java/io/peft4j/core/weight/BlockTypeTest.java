package io.peft4j.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.TestFiles;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against the numbers of the Python package gguf; exact, as both multiply and add in the same order without fusing. */
class BlockTypeTest {
    @ParameterizedTest
    @ValueSource(strings = {"types", "random"})
    void decodingMatchesTheReference(String fixture) {
        Set<BlockType> seen = EnumSet.noneOf(BlockType.class);
        try (GgufFile file = GgufFile.open(TestFiles.fixture("gguf/" + fixture + ".gguf"));
                SafetensorsFile expected = SafetensorsFile
                        .open(TestFiles.fixture("gguf/" + fixture + ".expected.safetensors"))) {
            assertEquals(expected.names(), Set.copyOf(file.names()));
            for (String name : file.names()) {
                BlockType type = file.blockType(name).orElseThrow();
                seen.add(type);
                assertArrayEquals(expected.shape(name), file.shape(name));
                assertBits(expected.readFloats(name), file.readFloats(name), name);
            }
        }
        EnumSet<BlockType> all = EnumSet.allOf(BlockType.class);
        all.removeIf(type -> fixture.equals("random") && !type.isQuantized());
        assertEquals(all, seen);
    }

    @Test
    void decodesAnyRangeFromBuffersAndAddresses() {
        Random random = new Random(3);
        try (GgufFile file = GgufFile.open(TestFiles.fixture("gguf/types.gguf"))) {
            for (String name : file.names()) {
                BlockType type = file.blockType(name).orElseThrow();
                float[] whole = file.readFloats(name);
                ByteBuffer bytes = file.bytes(name);
                long address = file.address(name).orElseThrow();
                for (int i = 0; i < 200; i++) {
                    int first = random.nextInt(whole.length);
                    int count = random.nextInt(whole.length - first + 1);
                    float[] expected = new float[count + 2];
                    System.arraycopy(whole, first, expected, 1, count);
                    float[] actual = new float[count + 2];
                    type.dequantize(bytes, first, actual, 1, count);
                    assertBits(expected, actual, name);
                    Arrays.fill(actual, 0);
                    type.dequantize(address, first, actual, 1, count);
                    assertBits(expected, actual, name);
                }
            }
        }
    }

    @Test
    void decodesMoreThanATile() {
        int blocks = 1000;
        ByteBuffer bytes = ByteBuffer.allocate(blocks * BlockType.Q8_0.blockBytes());
        byte[] raw = bytes.array();
        new Random(4).nextBytes(raw);
        for (int b = 0; b < blocks; b++) {
            // The half-precision 1.0 as the scale: values are the signed bytes themselves.
            raw[34 * b] = 0;
            raw[34 * b + 1] = 0x3c;
        }
        float[] values = new float[32 * blocks];
        BlockType.Q8_0.dequantize(bytes, 0, values, 0, values.length);
        for (int i = 0; i < values.length; i++) {
            assertEquals(raw[i / 32 * 34 + 2 + i % 32], values[i]);
        }
    }

    @Test
    void rangesAreChecked() {
        ByteBuffer bytes = ByteBuffer.allocate(2 * 18);
        float[] target = new float[64];
        assertThrows(IndexOutOfBoundsException.class, () -> BlockType.Q4_0.dequantize(bytes, 32, target, 0, 33));
        assertThrows(IndexOutOfBoundsException.class, () -> BlockType.Q4_0.dequantize(bytes, -1, target, 0, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> BlockType.Q4_0.dequantize(bytes, 0, target, 60, 5));
        try (BytePointer raw = new BytePointer(18)) {
            assertThrows(IndexOutOfBoundsException.class,
                    () -> BlockType.Q4_0.dequantize(raw.address(), 0, target, 60, 5));
        }
        BlockType.Q4_0.dequantize(bytes, 64, target, 64, 0);
    }

    @Test
    void sizesMatchGgml() {
        assertEquals(18 * 2, BlockType.Q4_0.bytes(64));
        assertEquals(210, BlockType.Q6_K.bytes(256));
        assertEquals(6, BlockType.BF16.bytes(3));
        String message = assertThrows(IllegalArgumentException.class, () -> BlockType.Q4_K.bytes(128)).getMessage();
        assertEquals("128 values are not a whole number of Q4_K blocks of 256", message);
        assertEquals(Optional.of(BlockType.Q6_K), BlockType.ofGgml(14));
        assertTrue(BlockType.ofGgml(23).isEmpty());
        for (BlockType type : BlockType.values()) {
            assertEquals(Optional.of(type), BlockType.ofGgml(type.ggmlId()));
        }
    }

    private static void assertBits(float[] expected, float[] actual, String name) {
        assertEquals(expected.length, actual.length, name);
        for (int i = 0; i < expected.length; i++) {
            int at = i;
            assertEquals(Float.floatToIntBits(expected[i]), Float.floatToIntBits(actual[i]),
                    () -> name + "[" + at + "] is " + actual[at] + ", not " + expected[at]);
        }
    }
}
