package io.peft4j.data.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.JavaPrograms;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows that are large themselves, such as books, and the memory that looking at them takes. */
@Tag("full")
class LargeRowsTest {
    private static final int MEGABYTE = 1 << 20;

    @TempDir
    private Path folder;

    /** What the process with little memory does. */
    public static void main(String[] arguments) {
        DataReport report = DataCheck.of(Path.of(arguments[0])).run();
        System.out.println(report.rows() + " rows, " + report.counts().getOrDefault(FindingCode.DUPLICATE, 0L)
                + " duplicates");
    }

    /** Eight letters and a space; without digits nothing in them looks like personal data. */
    private static char[] word(int number) {
        char[] word = new char[9];
        for (int i = 0; i < 8; i++) {
            word[i] = (char) ('a' + (number * 0x9E3779B1 >>> 4 * i & 15));
        }
        word[8] = ' ';
        return word;
    }

    /** The two are the same text; the words of a row do not repeat, so that each adds to what is compared. */
    @Test
    void rowsOfManyMegabytesAreComparedWithLittleMemory() throws IOException, InterruptedException {
        Path file = folder.resolve("rows.jsonl");
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (int row = 0; row < 2; row++) {
                out.write("{\"prompt\": \"Tell all of it\", \"completion\": \"");
                for (int length = 0, number = 0; length < 12 * MEGABYTE; length += 9, number++) {
                    out.write(word(number));
                }
                out.write("\"}\n");
            }
        }
        List<String> command = JavaPrograms.command("-Xmx192m", "-XX:TieredStopAtLevel=1");
        command.addAll(List.of("-cp", JavaPrograms.classPath(), LargeRowsTest.class.getName(), file.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), printed);
        assertEquals("2 rows, 1 duplicates", printed.lines().reduce((first, last) -> last).orElse(""), printed);
    }
}
