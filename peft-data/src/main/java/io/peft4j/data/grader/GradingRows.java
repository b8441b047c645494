package io.peft4j.data.grader;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.OpenRows;
import java.util.List;
import java.util.Map;

/** Reads answers to be graded: {@code {"item": {...}, "sample": {"output_text": "..."}}} a row. */
@Internal(shared = true)
public final class GradingRows {
    private static final List<List<String>> FORMS = List.of(List.of("item", "sample"));

    private GradingRows() {
    }

    /**
     * The answers of a file.
     *
     * @throws DataException when a row is wrong, or there is none
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static List<Grading.Answer> read(DataFile file) {
        return OpenRows.list(file, "{\"item\": {...}, \"sample\": {\"output_text\": ...}}", GradingRows::answer);
    }

    private static Grading.Answer answer(DataRow row) {
        if (!(row.fields().get("item") instanceof Map<?, ?> item)
                || !(row.fields().get("sample") instanceof Map<?, ?> sample)) {
            throw row.lacks("needs the objects \"item\" and \"sample\"", FORMS);
        }
        if (!(sample.get("output_text") instanceof String text)) {
            throw row.wrong("\"sample\" needs \"output_text\", a text");
        }
        return new Grading.Answer(row.file().getFileName() + ":" + row.line(), DataRow.object(item), text);
    }
}
