package io.peft4j.core.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.io.TestFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class SafetensorsWriterTest {
    @TempDir
    Path folder;

    @Test
    void writesTheSameBytesAsTheReferenceImplementation() throws IOException {
        Path fixture = TestFiles.fixture("safetensors/writer.safetensors");
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        ByteBuffer three = ByteBuffer.wrap(new byte[] {1, 2, 3});
        tensors.put("\u00fcber \"quoted\"", TensorData.of(DType.U8, new long[] {3}, three));
        tensors.put("b.weight", TensorData.f32(new long[] {2, 3}, new float[] {0, 0.25f, 0.5f, 0.75f, 1, 1.25f}));
        try (INDArray half = Nd4j.createFromArray(0f, 1, 2, 3).castTo(DataType.BFLOAT16);
                INDArray ids = Nd4j.createFromArray(new long[][] {{1}, {-2}});
                INDArray bias = Nd4j.createFromArray(1.5f, -2.5f)) {
            tensors.put("a.weight", TensorData.of(half));
            tensors.put("c.ids", TensorData.of(ids));
            tensors.put("a.bias", TensorData.of(bias));
            Path file = folder.resolve("out.safetensors");
            SafetensorsWriter.write(file, tensors);
            assertArrayEquals(Files.readAllBytes(fixture), Files.readAllBytes(file));
        }
    }

    @Test
    void writesViewsAndOtherOrdersInCOrder() {
        Path file = folder.resolve("views.safetensors");
        try (INDArray base = Nd4j.arange(24).castTo(DataType.FLOAT).reshape(4, 6)) {
            SafetensorsWriter.write(file, Map.of(
                    "transposed", TensorData.of(base.transpose()),
                    "columns", TensorData.of(base.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3))),
                    "rows", TensorData.of(base.get(NDArrayIndex.interval(2, 4), NDArrayIndex.all())),
                    "first", TensorData.of(base.get(NDArrayIndex.interval(0, 1), NDArrayIndex.all())),
                    "flat", TensorData.of(base.reshape(24)),
                    "fortran", TensorData.of(base.dup('f'))));
        }
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertArrayEquals(new long[] {6, 4}, read.shape("transposed"));
            assertArrayEquals(new float[] {0, 6, 12, 18, 1, 7}, firstSix(read, "transposed"));
            assertArrayEquals(new float[] {1, 2, 7, 8, 13, 14}, firstSix(read, "columns"));
            assertArrayEquals(new float[] {12, 13, 14, 15, 16, 17}, firstSix(read, "rows"));
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, read.readFloats("first"));
            assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, firstSix(read, "flat"));
            assertArrayEquals(read.readFloats("flat"), read.readFloats("fortran"));
        }
    }

    @ParameterizedTest
    @EnumSource(value = DataType.class,
            names = {"DOUBLE", "FLOAT", "HALF", "BFLOAT16", "LONG", "INT", "SHORT", "BYTE", "UBYTE", "BOOL"})
    void everyArrayTypeComesBack(DataType type) {
        Path file = folder.resolve("f.safetensors");
        try (INDArray array = Nd4j.createFromArray(0f, 1, 1, 0).castTo(type)) {
            SafetensorsWriter.write(file, Map.of("x", TensorData.of(array)));
        }
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertArrayEquals(new float[] {0, 1, 1, 0}, read.readFloats("x"));
        }
    }

    @Test
    void theHeaderIsAlignedWhateverTheNames() throws IOException {
        for (int length = 1; length < 20; length++) {
            Path file = folder.resolve("f");
            String name = "n".repeat(length);
            SafetensorsWriter.write(file, Map.of(name, TensorData.f32(new long[] {}, new float[] {length})), Map.of());
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            assertEquals(0, bytes.getLong(0) % 8);
            try (SafetensorsFile read = SafetensorsFile.open(file)) {
                assertArrayEquals(new float[] {length}, read.readFloats(name));
                assertEquals(Map.of(), read.metadata());
            }
        }
    }

    @Test
    void manyValuesGoThroughSeveralTiles() {
        Path file = folder.resolve("f");
        float[] values = new float[100_001];
        for (int i = 0; i < values.length; i++) {
            values[i] = i * 0.5f;
        }
        try (INDArray array = Nd4j.createFromArray(values)) {
            SafetensorsWriter.write(file, Map.of("floats", TensorData.f32(new long[] {values.length}, values),
                    "array", TensorData.of(array)));
        }
        try (SafetensorsFile read = SafetensorsFile.open(file); INDArray array = read.readF32("array")) {
            assertArrayEquals(values, read.readFloats("floats"));
            assertArrayEquals(values, array.toFloatVector());
        }
    }

    @Test
    void aFailedWriteKeepsTheOldFile() throws IOException {
        Path file = Files.writeString(folder.resolve("adapter_model.safetensors"), "old");
        INDArray array = Nd4j.createFromArray(1f, 2f);
        TensorData data = TensorData.of(array);
        array.close();
        assertThrows(IllegalStateException.class, () -> SafetensorsWriter.write(file, Map.of("x", data)));
        assertEquals("old", Files.readString(file));
        assertEquals(1, folder.toFile().list().length);
    }

    @Test
    void mismatchingDataIsRefused() {
        ByteBuffer three = ByteBuffer.allocate(3);
        assertMessage("F32[1] needs 4 bytes, not 3", () -> TensorData.of(DType.F32, new long[] {1}, three));
        assertMessage("[2] needs 2 values, not 1", () -> TensorData.f32(new long[] {2}, new float[1]));
        assertMessage("[-1] has a negative dimension", () -> TensorData.f32(new long[] {-1}, new float[1]));
        assertMessage("UINT64 cannot be written", () -> TensorData.of(Nd4j.create(DataType.UINT64, 2)));
        assertMessage("__metadata__", () -> SafetensorsWriter.write(folder.resolve("f"),
                Map.of("__metadata__", TensorData.f32(new long[] {1}, new float[1]))));
    }

    private static float[] firstSix(SafetensorsFile file, String name) {
        float[] six = new float[6];
        file.readFloats(name, 0, six, 0, 6);
        return six;
    }

    private static void assertMessage(String part, Executable action) {
        String message = assertThrows(IllegalArgumentException.class, action).getMessage();
        assertTrue(message.contains(part), message);
    }
}
