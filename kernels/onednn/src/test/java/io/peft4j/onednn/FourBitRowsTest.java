package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.BFloat16;
import io.peft4j.core.weight.BlockType;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FourBitRowsTest {
    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q4_1"})
    void theSameBitsAsByWayOfFloats(BlockType type) {
        int blocks = 500;
        byte[] bytes = new byte[blocks * type.blockBytes()];
        new Random(7).nextBytes(bytes);
        for (int i = 0; i < bytes.length; i += type.blockBytes()) {
            // Random scales and minima of any size and sign, but finite ones.
            bytes[i + 1] &= (byte) 0xbb;
            bytes[i + 3] &= (byte) 0xbb;
        }
        float[] floats = new float[32 * blocks];
        type.decode(bytes, blocks, floats, 0);
        short[] expected = new short[floats.length + 1];
        BFloat16.fromFloats(floats, 0, expected, 1, floats.length);
        short[] actual = new short[floats.length + 1];
        FourBitRows.decode(type, bytes, blocks, actual, 1);
        assertArrayEquals(expected, actual);
        assertTrue(FourBitRows.decodes(type));
        assertFalse(FourBitRows.decodes(BlockType.Q8_0));
    }
}
