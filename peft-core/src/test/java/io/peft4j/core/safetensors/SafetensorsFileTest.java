package io.peft4j.core.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.BFloat16;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.TestFiles;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorInfo;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class SafetensorsFileTest {
    private static final Path TYPES = TestFiles.fixture("safetensors/types.safetensors");

    @TempDir
    Path folder;

    @Test
    void readsEveryTypeAsPythonDoes() throws IOException {
        JsonNode expected = new ObjectMapper().readTree(TestFiles.fixture("safetensors/types.expected.json").toFile());
        try (SafetensorsFile file = SafetensorsFile.open(TYPES)) {
            int read = 0;
            for (Iterator<String> names = expected.fieldNames(); names.hasNext(); read++) {
                String name = names.next();
                float[] values = file.readFloats(name);
                assertArrayEquals(new long[] {3, 5}, file.shape(name));
                for (int i = 0; i < values.length; i++) {
                    // Exact: the numbers are floats written as decimals that give them back.
                    assertEquals((float) expected.get(name).get(i).asDouble(), values[i], name);
                }
            }
            assertEquals(DType.values().length, read);
            assertArrayEquals(new float[] {2.5f}, file.readFloats("scalar"));
            assertArrayEquals(new float[0], file.readFloats("empty"));
            assertEquals("pt", file.metadata().get("format"));
        }
    }

    @Test
    void listsTensorsInTheOrderOfTheirData() {
        try (SafetensorsFile file = SafetensorsFile.open(TYPES)) {
            assertEquals(List.of("t.i64", "t.f64", "empty", "scalar", "t.f32", "t.i32", "t.bf16", "t.f16", "t.i16",
                    "eight_bit_float", "t.i8", "t.u8", "t.bool"), List.copyOf(file.names()));
            TensorInfo info = file.info("t.f32");
            assertEquals(Optional.of(DType.F32), DType.of(info.typeName()));
            assertEquals(60, info.length());
            assertEquals(15, info.elements());
            assertEquals(Optional.of(BlockType.BF16), file.blockType("t.bf16"));
            assertEquals(Optional.empty(), file.blockType("t.i32"));
            assertThrows(UnsupportedOperationException.class, () -> file.tensors().clear());
        }
    }

    @Test
    void readsIntoArraysAndNativeMemory() {
        try (SafetensorsFile file = SafetensorsFile.open(TYPES);
                FloatPointer floats = new FloatPointer(15);
                ShortPointer bfloats = new ShortPointer(15)) {
            for (String name : List.of("t.f32", "t.bf16", "t.f16", "t.i8", "t.f64")) {
                float[] expected = file.readFloats(name);
                file.readF32(name, floats.address());
                file.readBf16(name, bfloats.address());
                for (int i = 0; i < 15; i++) {
                    assertEquals(expected[i], floats.get(i));
                    assertEquals(BFloat16.fromFloat(expected[i]), bfloats.get(i));
                }
                try (INDArray array = file.readF32(name)) {
                    assertEquals(DataType.FLOAT, array.dataType());
                    assertArrayEquals(new long[] {3, 5}, array.shape());
                    assertArrayEquals(expected, array.reshape(15).toFloatVector());
                    assertEquals(expected[7], array.getFloat(1, 2));
                }
            }
            try (INDArray scalar = file.readF32("scalar")) {
                assertEquals(2.5f, scalar.getFloat(0));
            }
        }
    }

    @Test
    void readsPieces() {
        try (SafetensorsFile file = SafetensorsFile.open(TYPES)) {
            for (String name : List.of("t.f32", "t.i16")) {
                float[] whole = file.readFloats(name);
                float[] piece = new float[6];
                file.readFloats(name, 4, piece, 1, 5);
                assertArrayEquals(new float[] {0, whole[4], whole[5], whole[6], whole[7], whole[8]}, piece);
                assertThrows(IndexOutOfBoundsException.class, () -> file.readFloats(name, 11, piece, 0, 5));
                assertThrows(IndexOutOfBoundsException.class, () -> file.readFloats(name, -1, piece, 0, 1));
                assertThrows(IndexOutOfBoundsException.class, () -> file.readFloats(name, 0, piece, 2, 5));
                assertThrows(IndexOutOfBoundsException.class,
                        () -> file.readBytes(name, file.length(name) - 3, new byte[4], 0, 4));
            }
        }
    }

    @Test
    void bytesAreThoseOfTheFile() {
        ByteBuffer bytes;
        float[] values;
        try (SafetensorsFile file = SafetensorsFile.open(TYPES)) {
            bytes = file.bytes("t.f32");
            values = file.readFloats("t.f32");
            assertTrue(file.address("empty").isEmpty());
        }
        // The view is used after the file was closed.
        for (int i = 0; i < values.length; i++) {
            assertEquals(values[i], bytes.getFloat(4 * i));
        }
    }

    @Test
    void readsTensorsThatAreNotAligned() throws IOException {
        String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[3,11]}}";
        byte[] bytes = TestFiles.safetensors(header, 11);
        int data = bytes.length - 11;
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(data + 3, 1.5f).putFloat(data + 7, -2f);
        try (SafetensorsFile file = SafetensorsFile.open(TestFiles.write(folder, "f", bytes))) {
            assertArrayEquals(new float[] {1.5f, -2f}, file.readFloats("b"));
            assertEquals((data + 3) % 4 == 0, file.address("b").isPresent());
        }
    }

    @Test
    void readsFarBehindTwoGigabytes() throws IOException {
        // The file is sparse: it takes a few blocks on the disk. One tensor is itself larger than a buffer can be.
        long big = 3L << 30;
        String header = "{\"big\":{\"dtype\":\"U8\",\"shape\":[3," + (1 << 30) + "],\"data_offsets\":[0," + big + "]},"
                + "\"far\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[" + big + "," + (big + 4) + "]}}";
        Path path = TestFiles.write(folder, "large.safetensors", TestFiles.safetensors(header, 0));
        long data = path.toFile().length();
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(data + big + 4);
            file.seek(data + big - 1);
            file.write(new byte[] {9, 0, 0, (byte) 0x80, 0x3f});
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertArrayEquals(new float[] {0, 1}, file.readFloats("far"));
            float[] end = new float[2];
            file.readFloats("big", big - 2, end, 0, 2);
            assertArrayEquals(new float[] {0, 9}, end);
            assertTrue(file.address("big").isEmpty());
            assertThrows(IllegalArgumentException.class, () -> file.bytes("big"));
            assertThrows(IllegalArgumentException.class, () -> file.readFloats("big"));
        }
    }

    @Test
    void aMissingTensorIsReportedWithNearNames() {
        try (SafetensorsFile file = SafetensorsFile.open(TYPES)) {
            String message = assertThrows(FileFormatException.class, () -> file.readFloats("t.f31")).getMessage();
            assertEquals(TYPES
                    + ": no tensor 't.f31'; the nearest of 13 are 't.f32', 't.f16', 't.f64'", message);
        }
    }

    @Test
    void aTypeThatCannotBeReadIsAnErrorOnUseOnly() {
        try (SafetensorsFile file = SafetensorsFile.open(TYPES)) {
            TensorInfo info = file.info("eight_bit_float");
            assertEquals("F8_E4M3", info.typeName());
            assertEquals(4, file.bytes("eight_bit_float").remaining());
            String message = assertThrows(FileFormatException.class, () -> file.readFloats("eight_bit_float"))
                    .getMessage();
            assertTrue(message.contains("elements of type F8_E4M3, which is not supported"), message);
            assertThrows(FileFormatException.class, () -> file.readF32("eight_bit_float"));
        }
    }

    @Test
    void aClosedFileIsReported() {
        SafetensorsFile file = SafetensorsFile.open(TYPES);
        file.close();
        assertThrows(IllegalStateException.class, () -> file.readFloats("t.f32"));
        assertEquals(13, file.names().size());
    }

    @Test
    void anEmptyFileOfTensorsIsValid() throws IOException {
        Path path = TestFiles.write(folder, "f", TestFiles.safetensors("{}   ", 0));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertEquals(Map.of(), file.tensors());
        }
        assertEquals("{}   ", new String(TestFiles.safetensors("{}   ", 0), 8, 5, StandardCharsets.UTF_8));
    }
}
