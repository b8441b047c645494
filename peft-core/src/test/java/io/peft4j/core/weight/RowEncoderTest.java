package io.peft4j.core.weight;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.TestFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Against what the Python package gguf rounds. */
class RowEncoderTest {
    private static float[] decoded(BlockType type, byte[] bytes, int count) {
        float[] values = new float[count];
        type.decode(bytes, count / type.blockSize(), values, 0);
        return values;
    }

    private static double error(float[] values, float[] rounded) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += Math.pow(rounded[i] - (double) values[i], 2);
        }
        return sum;
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1"})
    void valuesAreRoundedAsByTheReference(BlockType type) {
        try (GgufFile file = GgufFile.open(TestFiles.fixture("gguf/rounded.gguf"))) {
            float[] values = file.readFloats("f32");
            assertArrayEquals(file.readFloats(type.name().toLowerCase()), decoded(type,
                    new RowEncoder(type, values.length).encode(values), values.length));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"})
    void valuesOfTheTypeComeOutAsTheyWere(BlockType type) {
        try (GgufFile file = GgufFile.open(TestFiles.fixture("gguf/types.gguf"))) {
            float[] values = file.readFloats("blk.0." + type.name().toLowerCase() + ".weight");
            assertArrayEquals(values, decoded(type, new RowEncoder(type, values.length).encode(values),
                    values.length));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"})
    void oneValueIsKeptAndWhatIsNoNumberIsRefused(BlockType type) {
        float[] row = new float[32];
        assertEquals(0, error(row, decoded(type, new RowEncoder(type, 32).encode(row), 32)));
        row[7] = -1;
        assertEquals(-1, decoded(type, new RowEncoder(type, 32).encode(row), 32)[7], 1e-3, "rounding of the scale");
        for (float wrong : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, 3e38f}) {
            row[9] = wrong;
            assertThrows(ConfigurationException.class, () -> new RowEncoder(type, 32).encode(row));
        }
    }

    @Test
    void anUnknownTypeNamesThoseThatAreWritten() {
        assertEquals(BlockType.Q4_0, RowEncoder.type("q4_0"));
        assertEquals("the type is 'q6_k'; it must be one of [f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0]",
                assertThrows(ConfigurationException.class, () -> RowEncoder.type("q6_k")).getMessage());
    }
}
