package io.peft4j.data.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.TableColumns;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Reads what a model with a head is to judge from a file of any type ({@link OpenRows}), as sequences of tokens cut to
 * what the model can read:
 * <ul>
 * <li>{@code {"text": "..."}}, with {@code "text_pair"} where two texts are judged together;
 * <li>{@code {"tokens": [...]}}: words;
 * <li>{@code {"question": "...", "context": "..."}}, for models that answer questions;
 * <li>{@code {"input_ids": [...]}}, as they are.
 * </ul>
 * Other keys are ignored.
 */
@Internal(shared = true)
public final class HeadRows {
    private static final List<String> FORMS = List.of("text", "tokens", "question", "input_ids");

    private final Task.Type task;
    private final int vocabulary;
    private final TextEncoder encoder;

    /** A reader for a model. */
    public HeadRows(Model model) {
        this.task = model.network().task().type();
        this.vocabulary = model.network().description().vocabularySize();
        this.encoder = TextEncoder.of(model);
    }

    /**
     * A row.
     *
     * @param fields its values
     * @param sequence what the model reads of it
     * @param firstPieces of {@code tokens} for each word the index of its first token, -1 where it has none; of other
     *     forms empty
     * @param isCut whether there is more in it than the model can read
     */
    public record Row(Map<String, Object> fields, TokenSequence sequence, int[] firstPieces, boolean isCut) {
    }

    /** The columns of tables of such rows ({@link TableColumns#of}). */
    public List<List<String>> columns() {
        return task == Task.Type.QUESTION_ANS ? List.of(List.of("question", "context")) : TableColumns.TEXTS;
    }

    /** The most tokens of a row that the model reads. */
    public int limit() {
        return encoder.limit();
    }

    /**
     * Reads a file.
     *
     * @throws DataException when a row has none of the forms, or the file has no row: with file and line
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public List<Row> read(DataFile file) {
        return OpenRows.list(file, "one JSON object with one of " + FORMS, this::read);
    }

    /** The same of a file that is read as what it looks like. */
    public List<Row> read(Path file) {
        return read(DataFile.of(file));
    }

    private Row read(DataRow given) {
        DataRow row = TaskRows.withoutTask(given);
        List<String> present = row.present(FORMS);
        if (present.isEmpty()) {
            throw row.lacks("has none of " + FORMS, columns());
        }
        String form = present.get(0);
        if (form.equals("question") != (task == Task.Type.QUESTION_ANS) && !form.equals("input_ids")) {
            throw row.wrong("has " + row.fields().keySet() + "; a model for " + task + " takes "
                    + (task == Task.Type.QUESTION_ANS ? "\"question\" and \"context\"" : FORMS));
        }
        if (form.equals("tokens")) {
            List<String> all = TaskRows.list(row, "tokens");
            TextEncoder.Words words = encoder.words(all);
            return new Row(row.fields(), words.sequence(), words.firstPieces(), encoder.cuts(all));
        }
        return new Row(row.fields(), sequence(form, row), new int[0], isCut(form, row));
    }

    private boolean isCut(String form, DataRow row) {
        return switch (form) {
            case "question" -> encoder.cuts(TaskRows.text(row, "question"), TaskRows.text(row, "context"));
            case "input_ids" -> false;
            default -> row.fields().containsKey("text_pair")
                    ? encoder.cuts(TaskRows.text(row, "text"), TaskRows.text(row, "text_pair"))
                    : encoder.cuts(TaskRows.text(row, "text"));
        };
    }

    private TokenSequence sequence(String form, DataRow row) {
        return switch (form) {
            case "question" -> encoder.pair(TaskRows.text(row, "question"), TaskRows.text(row, "context"));
            case "input_ids" -> TokenSequence.unsupervised(ids(row));
            default -> row.fields().containsKey("text_pair")
                    ? encoder.pair(TaskRows.text(row, "text"), TaskRows.text(row, "text_pair"))
                    : encoder.text(TaskRows.text(row, "text"));
        };
    }

    private int[] ids(DataRow row) {
        if (!(row.fields().get("input_ids") instanceof List<?> list) || list.isEmpty()) {
            throw row.wrong("\"input_ids\" is not a list with at least one token");
        }
        return list.stream().mapToInt(value -> {
            if (!(value instanceof Integer id) || id < 0 || id >= vocabulary) {
                throw row.wrong("\"input_ids\" holds " + value + "; token ids are integers from 0 to "
                        + (vocabulary - 1));
            }
            return id;
        }).toArray();
    }
}
