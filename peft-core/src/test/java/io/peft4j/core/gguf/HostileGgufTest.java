package io.peft4j.core.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.TestFiles;
import io.peft4j.core.weight.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HostileGgufTest {
    private static final long MAX = Long.MAX_VALUE;

    @TempDir
    Path folder;

    static Stream<Arguments> heads() {
        return Stream.of(
                arguments(new RawGguf(), "the file ends at byte 0 inside the magic number; it is truncated"),
                arguments(new RawGguf().ascii("GGML").u32(3), "not a GGUF file: it does not begin with GGUF"),
                arguments(new RawGguf().ascii("GGUF").u32(1), "version 1 of GGUF; versions 2 and 3 are supported"),
                arguments(new RawGguf().ascii("GGUF").u32(4), "version 4 of GGUF"),
                arguments(new RawGguf().ascii("GGUF").bytes(0, 0, 0, 3), "this is a big-endian GGUF file"),
                arguments(RawGguf.head(-1, 0),
                        "the header claims 18446744073709551615 tensors, but only 8 bytes follow"),
                arguments(RawGguf.head(MAX, 0), "the header claims 9223372036854775807 tensors"),
                arguments(RawGguf.head(1, 0), "the header claims 1 tensors, but only 8 bytes follow"),
                arguments(RawGguf.head(0, MAX), "the header claims 9223372036854775807 metadata entries"),
                arguments(RawGguf.head(0, -5), "18446744073709551611 metadata entries"),
                arguments(RawGguf.head(0, 1).u64(MAX).u64(0), "bytes of metadata key 0, but only 8 bytes follow"),
                arguments(RawGguf.head(0, 1).u64(-1).u64(0), "18446744073709551615 bytes of metadata key 0"),
                arguments(RawGguf.head(0, 1).key("k", 13).u64(0), "metadata key 'k' has the unknown type 13"),
                arguments(RawGguf.head(0, 1).key("k", -1).u64(0), "has the unknown type 4294967295"),
                arguments(RawGguf.head(0, 1).u64(2).bytes(0xc3, 0x28).u32(7).bytes(1), "metadata key 0 is not UTF-8"),
                arguments(RawGguf.head(0, 1).key("k", 10).u32(0), "ends at byte 41 inside metadata key 'k'"),
                arguments(RawGguf.head(0, 1).key("k", 8).u64(1L << 40), "1099511627776 bytes of metadata key 'k'"),
                arguments(RawGguf.head(0, 1).key("k", 9).u32(8).u64(MAX), "9223372036854775807 elements of"),
                arguments(RawGguf.head(0, 1).key("k", 9).u32(0).u64(-1), "18446744073709551615 elements of"),
                arguments(RawGguf.head(0, 1).key("k", 9).u32(4).u64(2).u32(0), "2 elements of metadata key 'k', but"),
                arguments(RawGguf.head(0, 1).key("k", 9).u32(99).u64(0), "of metadata key 'k' has the unknown"),
                arguments(RawGguf.head(0, 1).key("k", 9).u32(8).u64(1).u64(9), "9 bytes of metadata key 'k'"),
                arguments(nested(9), "has arrays nested more than 8 deep"),
                arguments(nested(100_000), "has arrays nested more than 8 deep"),
                arguments(RawGguf.head(0, 2).key("k", 7).bytes(1).key("k", 7).bytes(1), "key 'k' appears twice"),
                arguments(alignment(0), "general.alignment is 0; it must be a power of two"),
                arguments(alignment(24), "general.alignment is 24"),
                arguments(alignment(1L << 31), "general.alignment is 2147483648"),
                arguments(RawGguf.head(0, 1).key("general.alignment", 8).string("32"),
                        "is STRING, expected an integer"),
                arguments(RawGguf.head(1, 0).string("t").u32(5).u64(1).u64(1), "has 5 dimensions, the limit is 4"),
                arguments(RawGguf.head(1, 0).string("t").u32(-1).u64(1).u64(1), "has 4294967295 dimensions"),
                arguments(tensor(0, 0, 0, -1), "has the dimension 18446744073709551615, more elements than"),
                arguments(tensor(0, 0, 0, 1L << 32, 1L << 32), "more elements than can be counted"),
                arguments(tensor(0, 0, 0, MAX), "more than any file can hold"),
                arguments(tensor(0, 0, 64, 17), "needs 68 bytes from byte 64 on, but the file ends at 128"),
                arguments(tensor(0, 32, 64, 9), "needs 36 bytes from byte 96 on, but the file ends at 128"),
                arguments(tensor(0, 4, 64, 1), "has the offset 4, which is not a multiple of the alignment 32"),
                arguments(tensor(0, -32, 64, 1), "has the offset 18446744073709551584"),
                arguments(tensor(0, MAX - 31, 64, 1), "needs 4 bytes from byte 9223372036854775840 on"),
                arguments(tensor(23, MAX - 31, 64, 1), "tensor 't' needs 0 bytes from byte 9223372036854775840 on"),
                arguments(tensor(2, 0, 64, 33), "has rows of 33 values, which is not a whole number of Q4_0 blocks"),
                arguments(tensor(12, 0, 1024, 32, 32), "rows of 32 values, which is not a whole number of Q4_K"),
                arguments(RawGguf.head(2, 0).tensor("t", 0, 0, 1).tensor("t", 0, 32, 1).data(64), "'t' appears twice"),
                arguments(RawGguf.head(2, 0).tensor("t", 0, 0, 9).tensor("u", 0, 32, 1).data(64),
                        "tensor 't' and tensor 'u' overlap"),
                arguments(RawGguf.head(2, 0).tensor("t", 0, 0, 1).tensor("u", 0, 0, 1).data(64), "overlap"));
    }

    @ParameterizedTest
    @MethodSource("heads")
    void invalidFilesAreReportedWithAReason(RawGguf file, String message) throws IOException {
        Path path = TestFiles.write(folder, "f.gguf", file.toBytes());
        FileFormatException e = assertThrows(FileFormatException.class, () -> GgufFile.open(path));
        assertEquals(path, e.file());
        assertTrue(e.getMessage().startsWith(path + ": ") && e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void textThatIsNotUtf8IsAnErrorOnUseOnly() throws IOException {
        byte[] bytes = RawGguf.head(0, 2).key("bad", 8).u64(2).bytes(0xc3, 0x28).key("good", 8).string("x").toBytes();
        try (GgufFile file = GgufFile.open(TestFiles.write(folder, "f.gguf", bytes))) {
            assertEquals("x", file.metadata().string("good"));
            String message = assertThrows(FileFormatException.class, () -> file.metadata().string("bad")).getMessage();
            assertTrue(message.contains("the value of 'bad' is not UTF-8"), message);
        }
    }

    @Test
    void aFileTruncatedAnywhereIsReported() throws IOException {
        byte[] whole = Files.readAllBytes(TestFiles.fixture("gguf/metadata.gguf"));
        try (GgufFile file = GgufFile.open(TestFiles.fixture("gguf/metadata.gguf"))) {
            // What follows the last tensor is padding, which a file may lack.
            TensorInfo last = file.info("two");
            assertTrue(last.offset() + last.length() <= whole.length);
            for (int length = 0; length < last.offset() + last.length(); length++) {
                Path path = TestFiles.write(folder, "f.gguf", Arrays.copyOf(whole, length));
                assertThrows(FileFormatException.class, () -> GgufFile.open(path));
            }
        }
    }

    private static RawGguf alignment(long value) {
        return RawGguf.head(0, 1).key("general.alignment", 4).u32(value);
    }

    /** One tensor in 64 bytes of head. */
    private static RawGguf tensor(int type, long offset, int data, long... dimensions) {
        return RawGguf.head(1, 0).tensor("t", type, offset, dimensions).data(data);
    }

    private static RawGguf nested(int depth) {
        RawGguf file = RawGguf.head(0, 1).key("k", 9);
        for (int i = 0; i < depth; i++) {
            file.u32(9).u64(1);
        }
        return file.u32(0).u64(0);
    }
}
