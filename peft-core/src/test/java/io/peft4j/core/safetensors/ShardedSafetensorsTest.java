package io.peft4j.core.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.FileFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShardedSafetensorsTest {
    private static final String FIRST = "model-00001-of-00002.safetensors";
    private static final String SECOND = "model-00002-of-00002.safetensors";

    @TempDir
    Path folder;

    @BeforeEach
    void writeShards() {
        SafetensorsWriter.write(folder.resolve(FIRST), Map.of("a", TensorData.f32(new long[] {2}, new float[] {1, 2}),
                "hidden", TensorData.f32(new long[] {1}, new float[] {7})));
        SafetensorsWriter.write(folder.resolve(SECOND), Map.of("b", TensorData.f32(new long[] {1}, new float[] {3})));
    }

    @Test
    void readsTensorsFromTheirShards() throws IOException {
        index("{\"metadata\":{\"total_size\":12,\"by\":\"x\",\"more\":{\"k\":[1]}},\"weight_map\":{\"b\":\"" + SECOND
                + "\",\"a\":\"" + FIRST + "\"},\"other\":[{}]}");
        try (Safetensors sharded = Safetensors.open(folder)) {
            assertInstanceOf(ShardedSafetensors.class, sharded);
            assertEquals(List.of("b", "a"), List.copyOf(sharded.names()));
            assertEquals(Map.of("total_size", "12", "by", "x", "more", ""), sharded.metadata());
            assertArrayEquals(new float[] {1, 2}, sharded.readFloats("a"));
            assertArrayEquals(new float[] {3}, sharded.readFloats("b"));
            assertEquals(1f, sharded.bytes("a").getFloat(0));
            assertEquals(8, sharded.length("a"));
            byte[] bytes = new byte[4];
            sharded.readBytes("a", 4, bytes, 0, 4);
            assertArrayEquals(new byte[] {0, 0, 0, 0x40}, bytes);
            assertTrue(sharded.address("a").isPresent());
            String message = assertThrows(FileFormatException.class, () -> sharded.readFloats("hidden")).getMessage();
            assertTrue(message.contains("no tensor 'hidden'; there are '"), message);
        }
    }

    @Test
    void aFolderWithoutAnIndexIsOneFile() throws IOException {
        Files.move(folder.resolve(FIRST), folder.resolve(Safetensors.MODEL_FILE));
        try (Safetensors file = Safetensors.open(folder)) {
            assertInstanceOf(SafetensorsFile.class, file);
            assertEquals(2, file.names().size());
        }
        Files.delete(folder.resolve(Safetensors.MODEL_FILE));
        String message = assertThrows(UncheckedIOException.class, () -> Safetensors.open(folder)).getMessage();
        assertTrue(message.contains("model.safetensors: no such file"), message);
    }

    @Test
    void allMissingShardsAreReported() throws IOException {
        index("{\"weight_map\":{\"a\":\"" + FIRST + "\",\"c\":\"x.safetensors\",\"d\":\"y.safetensors\"}}");
        assertMessage("2 of 3 shards are missing from its folder: x.safetensors, y.safetensors; download the model "
                + "again");
    }

    @Test
    void aTensorThatItsShardLacksIsAnError() throws IOException {
        index("{\"weight_map\":{\"a\":\"" + SECOND + "\",\"b\":\"" + SECOND + "\",\"z\":\"" + FIRST + "\"}}");
        assertMessage("2 of 3 tensors are not in the shard that the index names: a (" + SECOND + "), z ("
                + FIRST + ")");
    }

    @Test
    void aDamagedShardIsReported() throws IOException {
        index("{\"weight_map\":{\"a\":\"" + FIRST + "\",\"b\":\"" + SECOND + "\"}}");
        Path shard = folder.resolve(SECOND);
        Files.write(shard, Arrays.copyOf(Files.readAllBytes(shard), 40));
        FileFormatException e = assertThrows(FileFormatException.class, () -> Safetensors.open(folder));
        assertEquals(shard, e.file());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret.safetensors", "/etc/x.safetensors", "a\\\\b.safetensors", "sub/x.safetensors",
        "C:x.safetensors", "", "x.bin", "..", "x\\u0000.safetensors", "\\ud800.safetensors"})
    void aShardOutsideTheFolderIsAnError(String shard) throws IOException {
        index("{\"weight_map\":{\"a\":\"" + shard + "\"}}");
        assertMessage("must be the plain name of a .safetensors file in the same folder");
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "''; the text ends there",
        "'[]'; the index is not an object but [",
        "'{}'; has no weight_map",
        "'{\"weight_map\":{}}'; has no weight_map",
        "'{\"weight_map\":{\"a\":1}}'; 'a' of weight_map is not a string but 1",
        "'{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"x.safetensors\"}}'; Duplicate field 'a'",
        "'{\"weight_map\":{\"a\":\"x.safetensors\"}'; not valid JSON",
        "'{\"weight_map\":{\"a\":\"x.safetensors\"}} x'; not valid JSON",
    })
    void invalidIndexesAreReportedWithAReason(String index, String message) throws IOException {
        index(index);
        assertMessage(message);
    }

    private void index(String json) throws IOException {
        Files.writeString(folder.resolve(Safetensors.INDEX_FILE), json);
    }

    private void assertMessage(String part) {
        FileFormatException e = assertThrows(FileFormatException.class, () -> Safetensors.open(folder));
        assertEquals(folder.resolve(Safetensors.INDEX_FILE), e.file());
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }
}
