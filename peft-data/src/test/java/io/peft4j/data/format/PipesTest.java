package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.clean.FileSplit;
import io.peft4j.data.clean.SplitRule;
import io.peft4j.data.task.RowKind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that can be read once: opening one a second time would wait for ever. */
class PipesTest {
    private static final String CHAT = "{\"prompt\": \"Wann?\", \"completion\": \"Am 25. M\u00e4rz.\"}\n";
    private static final String TABLE = "question;answer\r\nWann?;Am 25. M\u00e4rz.\r\n";

    @TempDir
    Path folder;

    private <T> T piped(String name, byte[] content, Function<DataFile, T> reader) throws Exception {
        Path pipe = folder.resolve(name);
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).inheritIO().start().waitFor());
        Thread writer = new Thread(() -> {
            try (OutputStream out = new FileOutputStream(pipe.toFile())) {
                out.write(content);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        writer.setDaemon(true);
        writer.start();
        return assertTimeoutPreemptively(Duration.ofMinutes(1), () -> reader.apply(DataFile.of(pipe)));
    }

    private static void assertRead(ChatDataset data) {
        assertEquals(List.of("Wann?", "Am 25. M\u00e4rz."), data.examples().get(0).messages().stream()
                .map(message -> message.content()).toList());
    }

    @ParameterizedTest
    @ValueSource(strings = {"pipe", "rows.jsonl", "one.json"})
    void rowsOfAPipeAreRead(String name) throws Exception {
        assertRead(piped(name, CHAT.getBytes(StandardCharsets.UTF_8), ChatDataset::read));
    }

    @Test
    void listsTablesAndPackedRowsOfAPipeAreRead() throws Exception {
        assertRead(piped("list.json", ("\n[" + CHAT + "]").getBytes(StandardCharsets.UTF_8), ChatDataset::read));
        assertRead(piped("table.csv", TABLE.getBytes(StandardCharsets.UTF_8), ChatDataset::read));
        assertRead(piped("marked.csv", ("\uFEFF" + TABLE).getBytes(StandardCharsets.UTF_16LE), ChatDataset::read));
        assertRead(piped("old.csv", TABLE.getBytes(StandardCharsets.ISO_8859_1), file -> ChatDataset.read(
                file.withEncoding(StandardCharsets.ISO_8859_1))));
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(CHAT.getBytes(StandardCharsets.UTF_8));
        }
        assertRead(piped("packed", packed.toByteArray(), ChatDataset::read));
        assertEquals("b", piped("labels", "{\"text\": \"a\", \"label\": \"b\"}".getBytes(StandardCharsets.UTF_8),
                file -> RowKind.TEXTS.read(file)).get(0).labels().get(0));
    }

    @Test
    void aDashIsTheStandardInput() {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(CHAT.getBytes(StandardCharsets.UTF_8)));
            assertRead(ChatDataset.read(Path.of("-")));
            System.setIn(new ByteArrayInputStream(("[" + CHAT + "]").getBytes(StandardCharsets.UTF_8)));
            assertRead(ChatDataset.read(Path.of("-")));
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void whatReadsTwiceRefusesAPipe() {
        String message = assertThrows(ConfigurationException.class,
                () -> new FileSplit(SplitRule.ratios(0.5, 0.5)).run(DataFile.of(Path.of("-")), folder)).getMessage();
        assertTrue(message.startsWith("cannot read -: it is a pipe or a device, and data is read more than once"),
                message);
    }
}
