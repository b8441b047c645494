package io.peft4j.models.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufGroups;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.gguf.GgufCheckpoint.GgufHalves;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufPlaceTest {
    private static final String Q = "model.layers.0.self_attn.q_proj.weight";
    private static final int ROWS = 8;
    private static final int COLUMNS = 6;

    @TempDir
    private Path folder;
    private GgufFile file;

    @BeforeEach
    void write() {
        Path path = folder.resolve("t.gguf");
        new GgufWriter()
                .tensor("matrix", BlockType.F32, new long[] {ROWS, COLUMNS}, GgufPlaceTest::count)
                .tensor("experts", BlockType.F16, new long[] {2, ROWS / 2, COLUMNS}, GgufPlaceTest::count)
                .tensor("norm", BlockType.F32, new long[] {COLUMNS}, GgufPlaceTest::count).write(path);
        file = GgufFile.open(path);
    }

    @AfterEach
    void close() {
        file.close();
    }

    /** Row r holds 10 r, 10 r + 1, ... */
    private static void count(int row, float[] target) {
        for (int i = 0; i < target.length; i++) {
            target[i] = 10 * row + i;
        }
    }

    private static float[] all(GgufTensor place) {
        long[] shape = place.shape();
        float[] values = new float[(int) (shape[0] * (shape.length > 1 ? shape[1] : 1))];
        place.readFloats(0, values, 0, values.length);
        return values;
    }

    /** Every range of floats, and of bytes, is a piece of the whole. */
    private static void checkPieces(GgufTensor place) {
        float[] whole = all(place);
        byte[] bytes = new byte[(int) place.length()];
        place.readBytes(0, bytes, 0, bytes.length);
        float[] decoded = new float[whole.length];
        place.type().dequantize(ByteBuffer.wrap(bytes), 0, decoded, 0, decoded.length);
        assertArrayEquals(whole, decoded);
        Random random = new Random(5);
        for (int i = 0; i < 300; i++) {
            int first = random.nextInt(whole.length + 1);
            int count = random.nextInt(whole.length - first + 1);
            float[] piece = new float[count + 2];
            place.readFloats(first, piece, 1, count);
            byte[] some = new byte[count];
            place.readBytes(first, some, 0, count);
            for (int j = 0; j < count; j++) {
                assertEquals(whole[first + j], piece[j + 1]);
                assertEquals(bytes[first + j], some[j]);
            }
        }
        assertThrows(IndexOutOfBoundsException.class, () -> place.readFloats(1, new float[99], 0, whole.length));
        assertThrows(IndexOutOfBoundsException.class, () -> place.readBytes(-1, new byte[9], 0, 1));
    }

    @Test
    void rotatedPairsComeBackHalfAHeadApart() throws Exception {
        ModelConfig config = new ModelConfig(folder, new ObjectMapper().readTree(
                "{\"hidden_size\": 6, \"num_attention_heads\": 2, \"head_dim\": 4}"));
        GgufRowOrder order = new GgufRowOrder(config, GgufForm.decoder("llama").rotaryPairs("self_attn.q_proj"));
        GgufPlace place = new GgufPlace(file, Q, "matrix", 0, file.shape("matrix"), order);
        checkPieces(place);
        float[] values = all(place);
        int[] rows = {0, 2, 1, 3, 4, 6, 5, 7};
        for (int r = 0; r < ROWS; r++) {
            assertEquals(10 * rows[r], values[r * COLUMNS]);
            assertEquals(r, order.huggingFaceRow(Q, (int) order.ggufRow(Q, r)));
        }
        assertTrue(place.address().isEmpty());
    }

    @Test
    void aTurnedMatrixIsReadByItsColumns() {
        GgufPlace place = new GgufPlace(file, Q, "matrix", 0, file.shape("matrix"), null, Optional.empty(), true);
        assertArrayEquals(new long[] {COLUMNS, ROWS}, place.shape());
        checkPieces(place);
        float[] values = all(place);
        assertEquals(10, values[1]);
        assertEquals(73, values[3 * ROWS + 7]);
        assertTrue(place.address().isEmpty());
    }

    @Test
    void headsOfAGroupComeTogether() throws Exception {
        ModelConfig config = new ModelConfig(folder, new ObjectMapper().readTree(
                "{\"hidden_size\": 6, \"num_attention_heads\": 2, \"head_dim\": 4}"));
        GgufForm form = GgufForm.decoder("qwen35")
                .grouped(GgufDifference.TILED_ROWS, new GgufGroups(2, 2, 3, 1), "self_attn.q_proj")
                .grouped(GgufDifference.TILED_COLUMNS, new GgufGroups(0, 3, 2, 1), "self_attn.o_proj");
        GgufRowOrder order = new GgufRowOrder(config, form);
        GgufPlace rows = new GgufPlace(file, Q, "matrix", 0, file.shape("matrix"), order);
        checkPieces(rows);
        int[] expected = {0, 1, 2, 4, 6, 3, 5, 7};
        for (int r = 0; r < ROWS; r++) {
            assertEquals(10 * expected[r], all(rows)[r * COLUMNS]);
            assertEquals(r, order.huggingFaceRow(Q, (int) order.ggufRow(Q, r)));
        }
        String name = Q.replace("q_proj", "o_proj");
        GgufPlace columns = new GgufPlace(file, name, "matrix", 0, file.shape("matrix"), order);
        checkPieces(columns);
        assertArrayEquals(new float[] {10, 13, 11, 14, 12, 15}, Arrays.copyOfRange(all(columns), 6, 12));
        float[] written = new float[COLUMNS];
        order.reorderColumns(name, (row, target) -> System.arraycopy(all(columns), row * 6, target, 0, 6))
                .readRow(1, written);
        assertArrayEquals(new float[] {10, 11, 12, 13, 14, 15}, written);
    }

    @Test
    void halvesAreOneMatrix() {
        GgufPlace first = new GgufPlace(file, Q, "experts", 1, new long[] {ROWS / 2, COLUMNS}, null);
        GgufPlace second = new GgufPlace(file, Q, "experts", 0, new long[] {ROWS / 2, COLUMNS}, null);
        GgufHalves both = new GgufHalves(first, second);
        checkPieces(both);
        assertArrayEquals(new long[] {ROWS, COLUMNS}, both.shape());
        assertEquals(BlockType.F16, both.type());
        assertEquals(40, all(both)[0]);
        assertEquals(5, all(both)[ROWS / 2 * COLUMNS + 5]);
        GgufPlace other = new GgufPlace(file, Q, "matrix", 0, new long[] {ROWS / 2, COLUMNS}, null);
        checkPieces(new GgufHalves(first, other));
        assertEquals(BlockType.F32, new GgufHalves(first, other).type());
    }

    @Test
    void anExpertIsAPartOfTheFilesTensor() {
        GgufPlace place = new GgufPlace(file, Q, "experts", 1, new long[] {ROWS / 2, COLUMNS}, null);
        checkPieces(place);
        assertEquals(40, all(place)[0]);
        assertEquals(file.address("experts").orElseThrow() + 2 * ROWS / 2 * COLUMNS, place.address().orElseThrow());
    }

    @Test
    void aNormComesWithoutLlamaCppsOne() {
        GgufPlace place = new GgufPlace(file, Q, "norm", 0, file.shape("norm"), null,
                Optional.of(GgufDifference.SHIFTED), false);
        checkPieces(place);
        assertArrayEquals(new float[] {-1, 0, 1, 2, 3, 4}, all(place));
        assertTrue(place.address().isEmpty());
        assertFalse(new GgufPlace(file, Q, "norm", 0, file.shape("norm"), null).address().isEmpty());
        assertEquals(ByteOrder.LITTLE_ENDIAN, file.bytes("norm").order());
    }
}
