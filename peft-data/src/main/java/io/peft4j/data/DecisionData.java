package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.DecisionSource;
import io.peft4j.data.task.RowKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads typed questions with answers from all kinds of rows that have them. */
@Internal(shared = true)
public final class DecisionData {
    private DecisionData() {
    }

    /**
     * Rows of which each has something that is right: questions, or texts or conversations with a label.
     *
     * @param plain what is asked of rows with a label
     * @throws io.peft4j.core.error.DataException when a row is wrong: with file and line
     * @throws ConfigurationException when a label is not among the options of the question; says which row
     */
    public static List<DecisionRow> rows(OpenRows file, Optional<DecisionQuestion> plain) {
        if (plain.isEmpty() || RowKind.DECISIONS.isOf(file)) {
            return RowKind.DECISIONS.read(file);
        }
        return RowKind.TEXTS.isOf(file) ? asked(RowKind.TEXTS.read(file), DecisionSource.TEXTS, plain)
                : asked(ChatDataset.ROWS.read(file), DecisionSource.CHATS, plain);
    }

    /**
     * Whether a file holds such rows: of conversations, whether the last answer of any is an option of the question.
     *
     * @param plain what is asked of rows with a label; none are such without a question
     */
    public static boolean isOf(OpenRows file, Optional<DecisionQuestion> plain) {
        if (plain.isEmpty() || RowKind.DECISIONS.isOf(file) || RowKind.TEXTS.isOf(file)) {
            return RowKind.DECISIONS.isOf(file) || plain.isPresent() && RowKind.TEXTS.isOf(file);
        }
        try {
            return ChatDataset.ROWS.isOf(file) && ChatDataset.ROWS.read(file).stream()
                    .anyMatch(chat -> DecisionSource.CHATS.fits(List.of(chat), plain.get()));
        } catch (DataException | ConfigurationException e) {
            // Conversations without an answer, or rows of another form, which their own reader finds wrong.
            return false;
        }
    }

    private static <E> List<DecisionRow> asked(List<E> rows, DecisionSource<E> source,
            Optional<DecisionQuestion> plain) {
        List<DecisionRow> asked = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            try {
                asked.add(source.row(rows.get(i), plain));
            } catch (ConfigurationException e) {
                throw new ConfigurationException("row " + (i + 1) + ": " + e.getMessage(), e);
            }
        }
        return asked;
    }
}
