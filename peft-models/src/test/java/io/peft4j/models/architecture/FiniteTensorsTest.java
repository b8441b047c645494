package io.peft4j.models.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.WeightType.Blocks;
import io.peft4j.models.architecture.WeightType.Linear;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

/** A weight that is no number is refused when it is loaded, whatever the file holds and the model computes with. */
class FiniteTensorsTest {
    private static final int ROWS = 70;
    private static final int COLUMNS = 512;

    @TempDir
    private Path folder;

    private static List<WeightType> weightTypes() {
        List<WeightType> types = new ArrayList<>();
        for (DataType activations : List.of(DataType.FLOAT, DataType.BFLOAT16)) {
            for (Linear linear : Linear.values()) {
                for (Blocks blocks : Blocks.values()) {
                    types.add(new WeightType(activations, linear, blocks));
                }
            }
        }
        return types;
    }

    /** Blocks of ones, or what the type has for scales of one and random numbers. */
    private static byte[] finite(BlockType type) {
        byte[] bytes = new byte[(int) type.bytes((long) ROWS * COLUMNS)];
        if (type.isQuantized()) {
            new Random(3).nextBytes(bytes);
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < bytes.length; i += type.blockBytes()) {
            switch (type) {
                case F32 -> buffer.putFloat(i, 1);
                case BF16 -> buffer.putShort(i, (short) 0x3F80);
                case Q6_K -> buffer.putShort(i + 208, (short) 0x3C00);
                case Q3_K -> buffer.putShort(i + 108, (short) 0x3C00);
                case Q2_K -> buffer.putInt(i + 80, 0x3C003C00);
                case MXFP4 -> buffer.put(i, (byte) 127);
                case Q4_1, Q5_1, Q4_K, Q5_K -> buffer.putInt(i, 0x3C003C00);
                default -> buffer.putShort(i, (short) 0x3C00);
            }
        }
        return bytes;
    }

    private TensorStore store(BlockType type, byte[] bytes) {
        Path file = folder.resolve("w.gguf");
        new GgufWriter().tensor("w", type, new long[] {ROWS, COLUMNS}, ByteBuffer.wrap(bytes)).write(file);
        return GgufFile.open(file);
    }

    private static void load(TensorStore store, WeightType type, boolean linear) {
        try (WeightLoader loader = new WeightLoader(store, type, 2)) {
            if (linear) {
                loader.linear("w", ROWS, COLUMNS);
            } else {
                loader.matrix("w", ROWS, COLUMNS);
            }
            CloseAll.all(loader.takeOwnership());
        }
    }

    @ParameterizedTest
    @EnumSource(BlockType.class)
    void oneNumberThatIsNoneIsFoundWhateverTheModelComputesWith(BlockType type) {
        byte[] good = finite(type);
        int blocks = good.length / type.blockBytes();
        int scale = switch (type) {
            case Q2_K -> 81;
            case Q3_K -> 109;
            case Q6_K -> 209;
            case F32 -> 3;
            case MXFP4 -> 0;
            default -> 1;
        };
        for (WeightType weights : weightTypes()) {
            for (boolean linear : new boolean[] {true, false}) {
                load(store(type, good), weights, linear);
            }
        }
        for (int block : new int[] {0, blocks / 2 + 1, blocks - 1}) {
            for (byte sign : new byte[] {0x7F, (byte) 0xFF}) {
                byte[] bad = good.clone();
                // The exponent's bits all set, and some of the fraction's or none.
                bad[block * type.blockBytes() + scale] = switch (type) {
                    case F32, BF16 -> sign;
                    case MXFP4 -> (byte) 255;
                    default -> (byte) (sign & 0xFC);
                };
                if (type == BlockType.F32 || type == BlockType.BF16) {
                    bad[block * type.blockBytes() + scale - 1] |= (byte) 0x80;
                }
                for (WeightType weights : weightTypes()) {
                    String message = assertThrows(FileFormatException.class,
                            () -> load(store(type, bad), weights, true), type + " as " + weights).getMessage();
                    assertTrue(message.contains("tensor 'w' holds NaN or infinite values"), message);
                }
            }
        }
    }

    @Test
    void aVectorIsLookedAtToo() {
        Path file = folder.resolve("v.safetensors");
        SafetensorsWriter.write(file, Map.of("v", TensorData.f32(new long[] {3}, new float[] {1, Float.NaN, 1})));
        try (WeightLoader loader = new WeightLoader(Safetensors.open(file), WeightType.F32, 1)) {
            String message = assertThrows(FileFormatException.class, () -> loader.vector("v", 3)).getMessage();
            assertTrue(message.contains("tensor 'v' holds NaN or infinite values"), message);
        }
    }

    /** Of bytes at random: a block is finite just where all of its values are. */
    @ParameterizedTest
    @EnumSource(BlockType.class)
    void whatBytesSayIsWhatValuesAre(BlockType type) {
        Random random = new Random(11);
        int infinite = 0;
        for (int i = 0; i < 4000; i++) {
            int blocks = 1 + random.nextInt(5);
            byte[] bytes = new byte[blocks * type.blockBytes()];
            random.nextBytes(bytes);
            float[] values = new float[blocks * type.blockSize()];
            type.decode(bytes, blocks, values, 0);
            boolean finite = true;
            for (float value : values) {
                finite &= Float.isFinite(value);
            }
            assertEquals(finite, type.isFinite(bytes, blocks), () -> java.util.Arrays.toString(bytes));
            infinite += finite ? 0 : 1;
        }
        assertTrue(infinite > 10 && infinite < 3990, infinite + " of 4000");
    }
}
