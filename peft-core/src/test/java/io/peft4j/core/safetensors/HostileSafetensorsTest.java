package io.peft4j.core.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.TestFiles;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class HostileSafetensorsTest {
    @TempDir
    Path folder;

    /** A header with the single quotes for double ones, the bytes of data, a part of the message. */
    static Stream<Arguments> headers() {
        return Stream.of(
                arguments("", 0, "the header has 0 bytes, too few for JSON"),
                arguments("[]", 0, "does not begin with '{'"),
                arguments("{'a'", 0, "not valid JSON"),
                arguments("{} {}", 0, "continues after its end"),
                arguments("{'a':3}", 0, "tensor 'a' is not an object but 3"),
                arguments("{'a':{}}", 0, "tensor 'a' lacks its dtype"),
                arguments("{'a':{'dtype':'F32'}}", 0, "tensor 'a' lacks its shape"),
                arguments("{'a':{'dtype':'F32','shape':[1]}}", 4, "tensor 'a' lacks its data_offsets"),
                arguments(tensor("1", "[0,4]").replace("'F32'", "7"), 4, "dtype of tensor 'a' is not a string but 7"),
                arguments(tensor("-1", "[0,4]"), 4, "the shape of tensor 'a' holds -1 where an integer from 0"),
                arguments(tensor("1.0", "[0,4]"), 4, "the shape of tensor 'a' holds 1.0"),
                arguments(tensor("'1'", "[0,4]"), 4, "the shape of tensor 'a' holds 1"),
                arguments(tensor("null", "[0,4]"), 4, "the shape of tensor 'a' holds null"),
                arguments(tensor("[1]", "[0,4]"), 4, "the shape of tensor 'a' holds ["),
                arguments(tensor("9223372036854775808", "[0,4]"), 4, "holds 9223372036854775808"),
                arguments(tensor("9223372036854775807", "[0,4]"), 4, "more elements than can be counted"),
                arguments(tensor("4294967296,4294967296", "[0,0]"), 0, "more elements than can be counted"),
                arguments(tensor("3037000500,3037000500,0", "[0,0]"), 0, "more elements than can be counted"),
                arguments(tensor("1" + ",1".repeat(64), "[0,4]"), 4, "has more than 64 numbers"),
                arguments(tensor("2", "[0,4]"), 4, "tensor 'a' has 4 bytes, but F32[2] needs 8"),
                arguments(tensor("1", "[0,4,8]"), 4, "data_offsets [0, 4, 8]; they must be a begin and an end"),
                arguments(tensor("1", "[0]"), 4, "data_offsets [0]"),
                arguments(tensor("1", "[4,0]"), 4, "data_offsets [4, 0]"),
                arguments(tensor("1", "[-4,0]"), 4, "data_offsets of tensor 'a' holds -4"),
                arguments(tensor("1", "[9223372036854775803,9223372036854775807]"), 4, "far outside the file"),
                arguments(tensor("1", "[0,4]"), 3, "it is truncated or damaged, download it again"),
                arguments(tensor("1", "[0,4]"), 5, "1 bytes follow tensor 'a' that belong to no tensor"),
                arguments(tensor("1", "[4,8]"), 8, "leaves a gap after the header"),
                arguments(two("[0,4]", "[0,4]"), 4, "and overlaps tensor"),
                arguments(two("[0,4]", "[2,6]"), 6, "tensor 'b' begins at byte 117 and overlaps tensor 'a'"),
                arguments(two("[0,4]", "[8,12]"), 12, "begins at byte 124 and leaves a gap after tensor 'a'"),
                arguments(two("[0,4]", "[4,8]").replace("'b'", "'a'"), 8, "Duplicate field 'a'"),
                arguments("{'a':{'dtype':'F32','shape':[1],'shape':[1],'data_offsets':[0,4]}}", 4, "Duplicate field"),
                arguments("{'__metadata__':{'format':1}}", 0, "'format' of __metadata__ is not a string but 1"),
                arguments("{'__metadata__':'pt'}", 0, "__metadata__ is not an object but pt"),
                arguments("{'a':" + "[".repeat(2000) + "]".repeat(2000) + "}", 0, "tensor 'a' is not an object but ["),
                arguments("{'a':{'x':" + "[".repeat(2000) + "]".repeat(2000) + "}}", 0, "not valid JSON"));
    }

    @ParameterizedTest
    @MethodSource("headers")
    void invalidHeadersAreReportedWithAReason(String header, int data, String message) throws IOException {
        Path path = TestFiles.write(folder, "f", TestFiles.safetensors(header.replace('\'', '"'), data));
        assertMessage(path, message);
    }

    @ParameterizedTest
    @CsvSource({
        "-1, the header would have 18446744073709551615 bytes, the limit is 100000000",
        "9223372036854775807, the header would have 9223372036854775807 bytes",
        "-9223372036854775808, the header would have 9223372036854775808 bytes",
        "100000001, the header would have 100000001 bytes",
        "100000000, 'the header would have 100000000 bytes, but only 3 follow; the file is truncated'",
        "4, but only 3 follow",
        "1, 'the header has 1 bytes, too few for JSON'",
    })
    void invalidHeaderLengthsAreReportedWithAReason(long length, String message) throws IOException {
        byte[] bytes = TestFiles.safetensors("{} ", 0);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        assertMessage(TestFiles.write(folder, "f", bytes), message);
    }

    @Test
    void textThatIsNotUtf8IsAnError() throws IOException {
        // A byte that never occurs, an overlong zero, a surrogate.
        for (int number : new int[] {0xff, 0xc080, 0xeda080}) {
            byte[] bad = BigInteger.valueOf(number).toByteArray();
            bad = Arrays.copyOfRange(bad, 1, bad.length);
            byte[] bytes = TestFiles.safetensors(tensor("1", "[0,4]").replace('\'', '"').replace("a", "###"), 4);
            int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("###");
            System.arraycopy(bad, 0, bytes, at, bad.length);
            assertMessage(TestFiles.write(folder, "f", bytes), "the header is not UTF-8");
        }
    }

    @Test
    void aFileTruncatedAnywhereIsReported() throws IOException {
        byte[] whole = Files.readAllBytes(TestFiles.fixture("safetensors/writer.safetensors"));
        for (int length = 0; length < whole.length; length++) {
            Path path = TestFiles.write(folder, "f", Arrays.copyOf(whole, length));
            FileFormatException e = assertThrows(FileFormatException.class, () -> SafetensorsFile.open(path));
            assertTrue(e.getMessage().contains("truncated"), e.getMessage());
            assertEquals(path, e.file());
        }
    }

    private static void assertMessage(Path path, String part) {
        String message = assertThrows(FileFormatException.class, () -> SafetensorsFile.open(path)).getMessage();
        assertTrue(message.startsWith(path + ": ") && message.contains(part), message);
    }

    private static String tensor(String shape, String offsets) {
        return "{'a':{'dtype':'F32','shape':[" + shape + "],'data_offsets':" + offsets + "}}";
    }

    private static String two(String first, String second) {
        return "{'a':{'dtype':'F32','shape':[1],'data_offsets':" + first
                + "},'b':{'dtype':'F32','shape':[1],'data_offsets':" + second + "}}";
    }
}
