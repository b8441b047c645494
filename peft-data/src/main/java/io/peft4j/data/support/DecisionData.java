package io.peft4j.data.support;

import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.DecisionSource;
import io.peft4j.data.task.RowKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads typed questions with answers from all kinds of rows that have them. */
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
