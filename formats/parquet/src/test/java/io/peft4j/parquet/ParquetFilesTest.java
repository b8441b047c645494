package io.peft4j.parquet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.RowFault;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.FindingCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that pyarrow wrote are those of its JSON; what is damaged ends in a fault with the number of the row. */
class ParquetFilesTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Origin NOWHERE = new Origin("nowhere", 1);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"chat", "tools", "completion", "completion-chat", "text", "alpaca", "qa", "sharegpt",
        "preference", "classification", "gemini"})
    void rowsEqualThoseOfJson(String name) {
        List<Example> table = read(FIXTURES.resolve(name + ".parquet"));
        List<Example> json = read(FIXTURES.resolve(name + ".jsonl"));
        assertEquals(json.stream().map(e -> e.at(NOWHERE)).toList(), table.stream().map(e -> e.at(NOWHERE)).toList());
        for (int i = 0; i < table.size(); i++) {
            assertEquals(new Origin(FIXTURES.resolve(name + ".parquet").toString(), i + 1), table.get(i).origin());
        }
    }

    @Test
    void pagesAndRowGroupsAreReadInOrder() {
        List<Example> examples = read(FIXTURES.resolve("large.parquet"));
        assertEquals(3000, examples.size());
        for (int i = 0; i < examples.size(); i++) {
            assertEquals(ChatExample.continuation(String.format("number %06d", i), String.valueOf((long) i * i),
                    Map.of("count", i), NOWHERE), examples.get(i).at(NOWHERE));
        }
    }

    @Test
    void otherTypesAreConvertedToJsonTypes() throws IOException {
        try (OpenRows rows = OpenRows.open(DataFile.of(FIXTURES.resolve("types.parquet")))) {
            String json = new ObjectMapper().writeValueAsString(rows.next().orElseThrow().fields());
            assertEquals(Files.readString(FIXTURES.resolve("types.jsonl")).strip(), json);
            assertTrue(rows.next().isEmpty());
        }
        try (OpenRows rows = OpenRows.open(DataFile.of(FIXTURES.resolve("int96.parquet")))) {
            assertEquals("2024-02-29T13:45:10.123Z", rows.next().orElseThrow().fields().get("old"));
        }
    }

    @Test
    void aDataSetIsReadLikeFromOtherFiles() {
        ChatDataset chats = ChatDataset.read(FIXTURES.resolve("chat.parquet"));
        assertEquals(40, chats.size());
        assertEquals(ChatMessage.user("What is 3 + 3?"), chats.examples().get(3).messages().get(1));
        DataReport report = DataCheck.of(FIXTURES.resolve("chat.parquet")).run();
        assertEquals(40, report.rows());
        assertEquals("chat", report.statistics().format());
    }

    @Test
    void unreadableFilesSayWhy() throws IOException {
        assertFault("brotli.parquet", 1, "invalid_parquet", "is compressed with BROTLI, which is not supported");
        List<DataRow> entries = entries(FIXTURES.resolve("broken-text.parquet"));
        assertEquals(List.of("[]", "[wrong_encoding]", "[]"),
                entries.stream().map(e -> e.faults().stream().findFirst().map(RowFault::code)
                        .stream().toList().toString()).toList());
        assertEquals(2, entries.get(1).line());
        byte[] good = Files.readAllBytes(FIXTURES.resolve("chat.parquet"));
        assertFault(file(Arrays.copyOf(good, good.length / 2)), 1, "invalid_parquet", "does not end as a Parquet file");
        assertFault(file("text,label\n".repeat(9).getBytes()), 1, "invalid_parquet", "does not begin with PAR1");
        assertFault(file(new byte[0]), 1, "invalid_parquet", "is not a Parquet file");
        byte[] encrypted = good.clone();
        encrypted[good.length - 1] = 'E';
        assertFault(file(encrypted), 1, "invalid_parquet", "encrypted");
        DataException thrown = assertThrows(DataException.class, () -> ChatDataset.read(FIXTURES
                .resolve("brotli.parquet")));
        assertEquals(1, thrown.line());
        assertTrue(
                assertThrows(UncheckedIOException.class, () -> OpenRows.open(DataFile.of(folder.resolve("no.parquet"))))
                        .getMessage().contains("no such file"));
    }

    @Test
    void aFileThatWouldFillTheMemoryIsRefusedWithTheBound() {
        assertFault("hostile-page.parquet", 1, "invalid_parquet", "unpacks from 3232 bytes to 104857610; up to 2 MiB "
                + "and 100 times its length are read");
        assertFault("hostile-rows.parquet", 1, "invalid_parquet", "has 10000000 rows in 26946 bytes; up to 100,000 and "
                + "one for each byte are read");
        assertFault("hostile-values.parquet", 1, "invalid_parquet", "has 9999999 values in its lists in ");
        assertFault("hostile-columns.parquet", 1, "invalid_parquet", "has 1999980 values in its lists in 5686 bytes; "
                + "up to 100,000 and 8 for each byte are read");
        assertFault("hostile-nulls.parquet", 1, "invalid_parquet", "has 2000000 values in its columns, with the levels "
                + "above them, in ");
        assertFault("hostile-deep.parquet", 1, "invalid_parquet", "has 1300000 values in its columns, with the levels "
                + "above them, in ");
        List<DataRow> entries = entries(FIXTURES.resolve("hostile-content.parquet"));
        assertEquals(17, entries.size());
        assertTrue(entries.get(16).faults().get(0).message().contains("has rows that take more than 16827816 "
                + "bytes when they are unpacked"), entries.get(16).toString());
    }

    @Test
    void damagedFilesAreReportedWithTheirFirstUnreadableRow() throws IOException {
        byte[] bytes = Files.readAllBytes(FIXTURES.resolve("large.parquet"));
        // In the middle of the second group of 1000 rows.
        Arrays.fill(bytes, 6000, 6400, (byte) 0x5A);
        Path damaged = file(bytes);
        DataReport report = DataCheck.of(damaged).run();
        assertTrue(report.hasErrors());
        long line = report.findings().stream().filter(f -> f.code() == FindingCode.INVALID_PARQUET).findFirst()
                .orElseThrow().lines().get(0);
        assertTrue(line > 1000 && line < 3000, "row " + line);
        assertEquals(line, report.rows());
    }

    /** Bytes changed, cut out or doubled: each row is one or a fault with its number, and the file has an end. */
    @ParameterizedTest
    @ValueSource(strings = {"chat", "types", "text", "tools", "completion-chat", "qa", "alpaca"})
    void damagedFilesAreAFault(String name) throws IOException {
        byte[] good = Files.readAllBytes(FIXTURES.resolve(name + ".parquet"));
        SplittableRandom random = new SplittableRandom(7);
        int faults = 0;
        for (int round = 0; round < 300; round++) {
            byte[] bytes = good.clone();
            for (int times = 1 + random.nextInt(3); times > 0; times--) {
                // Half of the damage in the footer, which says where all else is.
                int from = random.nextBoolean() ? bytes.length * 2 / 3 : 0;
                bytes[from + random.nextInt(bytes.length - from)] = (byte) random.nextInt(256);
            }
            bytes = random.nextInt(8) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
            List<DataRow> entries = entries(file(bytes));
            for (int i = 0; i < entries.size(); i++) {
                assertEquals(i + 1, entries.get(i).line());
                assertTrue(entries.get(i).fields().isEmpty() == entries.get(i).isWrong());
            }
            assertTrue(entries.size() <= 1000, entries.size() + " rows");
            faults += entries.stream().anyMatch(e -> e.isWrong()) ? 1 : 0;
        }
        assertTrue(faults > 50, faults + " faults");
    }

    private void assertFault(String name, long line, String code, String message) {
        assertFault(FIXTURES.resolve(name), line, code, message);
    }

    private static void assertFault(Path file, long line, String code, String message) {
        List<DataRow> entries = entries(file);
        assertEquals(1, entries.size());
        assertEquals(line, entries.get(0).line());
        assertEquals(code, entries.get(0).faults().get(0).code());
        String said = entries.get(0).faults().get(0).message();
        assertTrue(said.contains(message), said);
    }

    private Path file(byte... bytes) throws IOException {
        return Files.write(folder.resolve("damaged.parquet"), bytes);
    }

    private static List<DataRow> entries(Path file) {
        try (OpenRows rows = OpenRows.open(DataFile.of(file))) {
            List<DataRow> entries = new java.util.ArrayList<>();
            for (Optional<DataRow> e = rows.next(); e.isPresent(); e = rows.next()) {
                entries.add(e.get());
            }
            return entries;
        }
    }

    private static List<Example> read(Path file) {
        try (ExampleReader reader = ExampleReader.open(file)) {
            return reader.stream().toList();
        }
    }
}
