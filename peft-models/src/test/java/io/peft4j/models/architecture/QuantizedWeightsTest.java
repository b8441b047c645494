package io.peft4j.models.architecture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FourBitEncoder;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.WeightType.Blocks;
import io.peft4j.models.architecture.WeightType.Linear;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

class QuantizedWeightsTest {
    /** More rows than a tile of the conversion holds, and than a task converts. */
    private static final int ROWS = 1201;
    private static final int COLUMNS = 1024;

    @TempDir
    private Path folder;

    private final float[] wide = values(ROWS * COLUMNS);
    private final float[] odd = values(7 * 37);
    private Path file;

    private static float[] values(int count) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    @BeforeEach
    void write() {
        file = folder.resolve("model.safetensors");
        SafetensorsWriter.write(file, Map.of("wide", TensorData.f32(new long[] {ROWS, COLUMNS}, wide), "odd",
                TensorData.f32(new long[] {7, 37}, odd)));
    }

    private static WeightLoader loader(TensorStore store, Linear linear, Blocks blocks) {
        return new WeightLoader(store, new WeightType(DataType.BFLOAT16, linear, blocks), 2);
    }

    private static float[] read(FrozenWeight weight) {
        float[] values = new float[weight.rows() * weight.columns()];
        for (int i = 0; i < weight.rows(); i++) {
            weight.readRow(i, values, i * weight.columns());
        }
        return values;
    }

    @Test
    void int8() {
        try (WeightLoader loader = loader(Safetensors.open(file), Linear.INT8, Blocks.CONVERTED)) {
            FrozenWeight linear = loader.linear("wide", ROWS, COLUMNS);
            FrozenWeight narrow = loader.linear("odd", 7, 37);
            FrozenWeight table = loader.matrix("odd", 7, 37);
            CloseAll.all(closingAfter(loader, () -> {
                assertArrayEquals(read(Int8Weight.of(wide, ROWS, COLUMNS)), read(linear));
                assertArrayEquals(read(Int8Weight.of(odd, 7, 37)), read(narrow));
                assertEquals(DataType.BFLOAT16, assertInstanceOf(DenseWeight.class, table).values().dataType());
                assertEquals((long) ROWS * COLUMNS + 4 * ROWS, linear.bytes());
            }));
        }
    }

    private static List<AutoCloseable> closingAfter(WeightLoader loader, Runnable checks) {
        List<AutoCloseable> owned = loader.takeOwnership();
        checks.run();
        return owned;
    }

    @Test
    void fourBit() {
        byte[] encoded = new byte[(int) FourBitEncoder.TYPE.bytes(wide.length)];
        new FourBitEncoder().encode(wide, 0, wide.length / 32, encoded, 0);
        float[] expected = new float[wide.length];
        FourBitEncoder.TYPE.decode(encoded, wide.length / 32, expected, 0);
        try (WeightLoader loader = loader(Safetensors.open(file), Linear.FOUR_BIT, Blocks.KEPT_IN_LINEAR)) {
            FrozenWeight linear = loader.linear("wide", ROWS, COLUMNS);
            FrozenWeight narrow = loader.linear("odd", 7, 37);
            FrozenWeight table = loader.matrix("wide", ROWS, COLUMNS);
            CloseAll.all(closingAfter(loader, () -> {
                assertEquals(BlockType.Q4_1, assertInstanceOf(BlockWeight.class, linear).type());
                assertArrayEquals(expected, read(linear));
                assertInstanceOf(Int8Weight.class, narrow);
                assertInstanceOf(DenseWeight.class, table);
                assertEquals(encoded.length, linear.bytes());
            }));
        }
    }

    @Test
    void blocksOfAFile() {
        byte[] bytes = new byte[(int) BlockType.Q8_0.bytes(96 * 64)];
        new Random(1).nextBytes(bytes);
        for (int i = 0; i < bytes.length; i += BlockType.Q8_0.blockBytes()) {
            // The half-precision scale 0.5.
            bytes[i] = 0;
            bytes[i + 1] = 0x38;
        }
        Path gguf = folder.resolve("model.gguf");
        new GgufWriter().tensor("w", BlockType.Q8_0, new long[] {96, 64}, ByteBuffer.wrap(bytes)).write(gguf);
        for (Blocks blocks : Blocks.values()) {
            try (WeightLoader loader = loader(GgufFile.open(gguf), Linear.FOUR_BIT, blocks)) {
                FrozenWeight linear = loader.linear("w", 96, 64);
                FrozenWeight table = loader.matrix("w", 96, 64);
                CloseAll.all(closingAfter(loader, () -> {
                    assertEquals(blocks == Blocks.CONVERTED ? BlockType.Q4_1 : BlockType.Q8_0,
                            assertInstanceOf(BlockWeight.class, linear).type());
                    assertEquals(blocks == Blocks.KEPT, table instanceof BlockWeight, table.toString());
                    float[] expected = new float[96 * 64];
                    BlockType.Q8_0.decode(bytes, 96 * 2, expected, 0);
                    // bfloat16 rounds.
                    assertTrue(!(table instanceof DenseWeight floats) || floats.blocks().isEmpty());
                    // Bytes of a block from -128 to 127 at scale 0.5, on 16 levels: half a step of 8.5 and a little.
                    assertArrayEquals(expected, read(linear), blocks == Blocks.CONVERTED ? 6 : 0);
                }));
            }
        }
    }

    @Test
    void floatsKnowTheBlocksTheyWereDecodedFrom() {
        byte[] bytes = new byte[(int) BlockType.Q8_0.bytes(32 * 64)];
        java.util.Arrays.fill(bytes, (byte) 0x34);
        Path gguf = folder.resolve("model.gguf");
        new GgufWriter().tensor("w", BlockType.Q8_0, new long[] {32, 64}, ByteBuffer.wrap(bytes)).write(gguf);
        try (WeightLoader loader = new WeightLoader(GgufFile.open(gguf), WeightType.F32, 2)) {
            FrozenWeight linear = loader.linear("w", 32, 64);
            CloseAll.all(closingAfter(loader, () -> {
                float[] expected = new float[32 * 64];
                BlockType.Q8_0.decode(bytes, 32 * 2, expected, 0);
                DenseWeight floats = assertInstanceOf(DenseWeight.class, linear);
                assertArrayEquals(expected, read(floats));
                assertArrayEquals(expected, read(floats.blocks().orElseThrow()));
            }));
        }
    }

    @Test
    void nanAndInfiniteWeightsAreReported() {
        odd[100] = Float.NaN;
        SafetensorsWriter.write(file, Map.of("odd", TensorData.f32(new long[] {7, 37}, odd)));
        try (WeightLoader loader = loader(Safetensors.open(file), Linear.INT8, Blocks.CONVERTED)) {
            loader.linear("odd", 7, 37);
            FileFormatException error = assertThrows(FileFormatException.class, loader::takeOwnership);
            assertTrue(error.getMessage().contains("tensor 'odd'"), error.getMessage());
        }
    }

    @Test
    void denseWeightsAreNotQuantized() {
        try (DenseWeight weight = new DenseWeight(Arrays.zeros(DataType.FLOAT, 2, 2))) {
            assertEquals(16, weight.bytes());
            assertTrue(!weight.isQuantized());
        }
    }
}
