package io.peft4j.data.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.data.clean.CleaningStep;
import io.peft4j.data.clean.DataPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Rows of a million characters that would take a careless pattern hours are checked and cleaned in seconds: time grows
 * with the length of a row, not with its square. Where it did, this test would not come to an end.
 */
@Tag("full")
class LongRowsTest {
    private static final int LENGTH = 1_000_000;
    private static final List<String> PIECES = List.of("let me know ", "A", "a@b.org ", "+49 89 123456 ", "1 ",
            "1.2.3.", ":1", "`", "```", "<b", "&amp;", "[", "(", "? ", "no ", "Ann Bob ", "e\u0301", "\\n", "\\t ", "-",
            "I'm sorry ", "hope this helps ");

    @TempDir
    private Path folder;

    @Test
    void longRowsAreCheckedAndCleaned() throws IOException {
        List<String> rows = new ArrayList<>();
        for (String piece : PIECES) {
            String text = piece.repeat(LENGTH / piece.length());
            rows.add("{\"question\": \"" + text + "q\", \"answer\": \"" + text + "z\"}");
        }
        Path data = Files.write(folder.resolve("long.jsonl"), rows);
        assertEquals(PIECES.size(), DataCheck.of(data).run().rows());
        Path clean = folder.resolve("clean.jsonl");
        assertEquals(PIECES.size(), DataPipeline.standard().then(CleaningStep.named("redact"))
                .then(CleaningStep.named("refusals")).run(data, clean).rows());
    }

    @Test
    void deeplyNestedHandbooksAreRead() throws IOException {
        for (String piece : List.of(">", "- ", "*a **b ", "[", "![", "<div>", "<p><ul><li>", "# ")) {
            for (String ending : List.of(".md", ".html")) {
                Path file = Files.writeString(folder.resolve("deep" + ending), "# A\n\n<h1>A</h1>"
                        + piece.repeat(100_000) + " text\n");
                try {
                    DataReport report = DataCheck.of(file).run();
                    assertEquals(report.rows(), report.files().get(file.toString()));
                } catch (DataException none) {
                    assertTrue(none.getMessage().contains("gave no row with a question"), none.getMessage());
                }
            }
        }
    }
}
