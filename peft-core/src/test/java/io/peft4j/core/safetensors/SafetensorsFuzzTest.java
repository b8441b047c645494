package io.peft4j.core.safetensors;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.FuzzReport;
import io.peft4j.core.io.Mutator;
import io.peft4j.core.io.TestFiles;
import io.peft4j.core.weight.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files are read or refused. The seeds are fixed, so a failure comes back. */
@Tag("jdk")
@Tag("full")
class SafetensorsFuzzTest {
    private static final int FILES = 6000;
    /** The files have less than 2 kB; parser and exceptions take some 100 kB. */
    private static final long MAX_ALLOCATED = 1 << 20;
    private static final Pattern TOKEN = Pattern.compile("-?\\d+|\"[^\"]*\"|[\\[\\]{},:]");
    private static final String[] REPLACEMENTS = {
        "-1", "0", "1", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "1e308", "1e400", "0.5", "null", "true", "\"\"", "\"F64\"", "\"F16\"", "\"dtype\"",
        "\"__metadata__\"", "[]", "{}", "[0,0]", "{\"a\":\"b\"}", "\"\\u0000\"", "\"\\ud800\"", ",", "", "]", "}",
        "1,1", "4611686018427387904,4", "9".repeat(2000), "[".repeat(1500), "\u00fc",
    };

    @TempDir
    Path folder;

    @BeforeEach
    void loadClasses() {
        // What the first reading of a file allocates once is not the file's doing.
        readAll(TestFiles.fixture("safetensors/types.safetensors"));
    }

    @Test
    void bytesAtRandom() throws IOException {
        List<byte[]> files = List.of(fixture("types"), fixture("writer"));
        Mutator mutator = new Mutator(20240);
        FuzzReport report = new FuzzReport(MAX_ALLOCATED);
        Path path = folder.resolve("f.safetensors");
        for (int i = 0; i < FILES; i++) {
            byte[] file = files.get(i % files.size());
            int head = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong() + 8;
            Files.write(path, mutator.mutate(file, i % 3 == 0 ? 8 : head));
            report.run("file " + i, path, SafetensorsFuzzTest::readAll);
        }
        report.assertBothKinds(50);
    }

    @Test
    void tokensOfTheHeaderAtRandom() throws IOException {
        Mutator mutator = new Mutator(20241);
        FuzzReport report = new FuzzReport(MAX_ALLOCATED);
        Path path = folder.resolve("f.safetensors");
        List<byte[]> files = List.of(fixture("types"), fixture("writer"));
        for (int i = 0; i < FILES; i++) {
            byte[] file = files.get(i % files.size());
            int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
            String header = new String(file, 8, length, StandardCharsets.UTF_8);
            for (int change = mutator.below(2); change >= 0; change--) {
                header = replaceToken(header, mutator);
            }
            // The bytes of the data themselves do not matter, their number does.
            Files.write(path, TestFiles.safetensors(header, file.length - 8 - length));
            report.run("file " + i + " with " + header, path, SafetensorsFuzzTest::readAll);
        }
        report.assertBothKinds(100);
    }

    @Test
    void indexesAtRandom() throws IOException {
        Files.write(folder.resolve("a.safetensors"), fixture("writer"));
        String index = "{\"metadata\":{\"total_size\":59},\"weight_map\":{\"b.weight\":\"a.safetensors\","
                + "\"c.ids\":\"a.safetensors\"}}";
        Files.writeString(folder.resolve(Safetensors.INDEX_FILE), index);
        readAll(folder);
        Mutator mutator = new Mutator(20242);
        FuzzReport report = new FuzzReport(MAX_ALLOCATED);
        Path path = folder.resolve(Safetensors.INDEX_FILE);
        for (int i = 0; i < FILES; i++) {
            byte[] bytes = i % 2 == 0 ? mutator.mutate(index.getBytes(StandardCharsets.UTF_8), index.length())
                    : replaceToken(index, mutator).getBytes(StandardCharsets.UTF_8);
            Files.write(path, bytes);
            report.run("index " + i, path, SafetensorsFuzzTest::readAll);
        }
        report.assertBothKinds(100);
    }

    private static byte[] fixture(String name) throws IOException {
        return Files.readAllBytes(TestFiles.fixture("safetensors/" + name + ".safetensors"));
    }

    private static String replaceToken(String json, Mutator mutator) {
        List<int[]> places = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(json);
        while (matcher.find()) {
            places.add(new int[] {matcher.start(), matcher.end()});
        }
        if (places.isEmpty()) {
            return json;
        }
        int[] place = places.get(mutator.below(places.size()));
        int[] other = places.get(mutator.below(places.size()));
        String replacement = mutator.below(3) == 0 ? json.substring(other[0], other[1]) : mutator.oneOf(REPLACEMENTS);
        return json.substring(0, place[0]) + replacement + json.substring(place[1]);
    }

    /** Reads every tensor in every way; those of a type that cannot be read must say so. */
    private static void readAll(Path path) {
        try (Safetensors file = Safetensors.open(path)) {
            for (TensorInfo info : file.tensors().values()) {
                file.bytes(info.name());
                file.address(info.name());
                if (DType.of(info.typeName()).isPresent()) {
                    file.readFloats(info.name());
                } else {
                    assertThrows(FileFormatException.class, () -> file.readFloats(info.name()));
                }
            }
        }
    }
}
