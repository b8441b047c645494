package io.peft4j.data.augment;

import io.peft4j.core.Internal;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.UnfilledRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The rows of a document, or of a folder of documents, as they are learned: questions by rule in the place of the
 * sections for people to fill in ({@link PassageQuestions#byRule}), each in several wordings ({@link Augmentation}).
 * Sections without a question are left out, which is logged. Other files are read as they are.
 */
@Internal(shared = true)
public final class DocumentRows {
    private static final Logger LOG = LoggerFactory.getLogger(DocumentRows.class);
    private static final int WORDINGS = 4;

    private DocumentRows() {
    }

    /**
     * Opens a file, as {@link OpenRows#open} does.
     *
     * @throws DataException when a document has no row with a question
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    public static OpenRows open(DataFile file) {
        return DataFiles.isDocument(file.path()) ? OpenRows.of(file, HandbookSections.of(rows(file)))
                : OpenRows.open(file);
    }

    private static List<DataRow> rows(DataFile file) {
        List<ChatExample> sections = new ArrayList<>();
        List<DataRow> rows = new ArrayList<>();
        try (OpenRows open = OpenRows.open(file)) {
            for (Optional<DataRow> next = open.next(); next.isPresent(); next = open.next()) {
                DataRow row = next.get();
                ExampleReader.example(row).filter(example -> example.extra().containsKey(HandbookSections.HEADING))
                        .flatMap(Example::toChat).ifPresentOrElse(sections::add, () -> rows.add(row));
            }
        }
        PassageRows made = PassageQuestions.byRule(sections);
        List<ChatExample> asked = new ArrayList<>(made.rows().stream()
                .filter(row -> UnfilledRows.unfilled(row).isEmpty()).toList());
        if (asked.isEmpty() && rows.isEmpty()) {
            throw new DataException(file.path(), "gave no row with a question: rules ask for numbers and names in "
                    + "plain English and German sentences and tables; write rows, or have a model write them");
        }
        int questions = asked.size();
        asked.addAll(new Augmentation(WORDINGS).of(asked));
        asked.forEach(row -> rows.add(row(row)));
        if (questions > 0) {
            LOG.atLevel(made.unasked().isEmpty() ? Level.INFO : Level.WARN).log("{}: {} in {}; {}", file, Count.of(
                    questions, "question"), Count.of(asked.size(), "wording"), made.summary());
        }
        return rows;
    }

    private static DataRow row(ChatExample row) {
        List<ChatMessage> turns = row.messages();
        Map<String, Object> fields = new LinkedHashMap<>(row.extra());
        fields.put("question", turns.get(0).content());
        fields.put("answer", turns.get(1).content());
        return new DataRow(Path.of(row.origin().file()), row.origin().line(), fields);
    }
}
