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
 * Sections without a question are left out, and told of. Other files are read as they are.
 *
 * @param file the document
 * @param rows those that are not of its text first, such as those of a table of examples
 * @param questions how many questions its text gave, without their other wordings
 * @param made what became of its text
 */
@Internal(shared = true)
public record DocumentRows(DataFile file, List<DataRow> rows, int questions, PassageRows made) {
    private static final Logger LOG = LoggerFactory.getLogger(DocumentRows.class);
    private static final int WORDINGS = 4;

    /** Copies the rows. */
    public DocumentRows {
        rows = List.copyOf(rows);
    }

    /**
     * Opens a file, as {@link OpenRows#open} does.
     *
     * @throws DataException when a document has no row with a question
     * @throws java.io.UncheckedIOException when it cannot be opened
     */
    public static OpenRows open(DataFile file) {
        if (!DataFiles.isDocument(file.path())) {
            return OpenRows.open(file);
        }
        DocumentRows document = of(file);
        OpenRows opened = document.open();
        if (document.questions > 0) {
            PassageRows made = document.made;
            LOG.atLevel(made.unasked().isEmpty() ? Level.INFO : Level.WARN).log("{}: {} in {}; {}", file, Count.of(
                    document.questions, "question"), Count.of(document.rows.size(), "wording"), made.summary());
        }
        return opened;
    }

    /** Reads a document to its end; it may have no row. */
    public static DocumentRows of(DataFile file) {
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
        int questions = asked.size();
        asked.addAll(new Augmentation(WORDINGS).of(asked));
        asked.forEach(row -> rows.add(row(row)));
        return new DocumentRows(file, rows, questions, made);
    }

    /**
     * These rows, as those of a file.
     *
     * @throws DataException when there is none
     */
    public OpenRows open() {
        if (rows.isEmpty()) {
            throw new DataException(file.path(), "gave no row with a question: rules ask for numbers and names in "
                    + "plain English and German sentences and tables; write rows, or have a model write them");
        }
        return OpenRows.of(file, HandbookSections.of(rows));
    }

    private static DataRow row(ChatExample row) {
        List<ChatMessage> turns = row.messages();
        Map<String, Object> fields = new LinkedHashMap<>(row.extra());
        fields.put("question", turns.get(0).content());
        fields.put("answer", turns.get(1).content());
        return new DataRow(Path.of(row.origin().file()), row.origin().line(), fields);
    }
}
