package io.peft4j.data.report;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.augment.DocumentRows;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.ParallelRows;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import io.peft4j.data.task.RowKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Looks for what is wrong with data before a model is trained on it:
 *
 * <pre>{@code
 * DataReport report = DataCheck.of(Path.of("train.jsonl")).validation(Path.of("validation.jsonl")).run();
 * report.findings().forEach(finding -> System.out.println(finding.message()));
 * report.writeHtml(Path.of("report.html"));
 * }</pre>
 *
 * <p>Files of any size are read row by row; some 250 bytes of memory a row are kept, and the texts in a temporary file.
 */
public final class DataCheck {
    private static final int DEFAULT_MOST_FINDINGS = 1000;

    private final List<DataFile> files = new ArrayList<>();
    private Optional<ChatEncoder> encoder = Optional.empty();
    private int maxLength = Integer.MAX_VALUE;
    private PiiDetector detector = PiiDetector.standard();
    private int mostFindings = DEFAULT_MOST_FINDINGS;
    private int previews = 3;
    private CheckListener listener = CheckListener.NONE;

    private DataCheck(DataFile data) {
        files.add(Objects.requireNonNull(data, "data"));
    }

    /** A check of one file. */
    public static DataCheck of(Path data) {
        return of(DataFile.of(data));
    }

    /** A check of one file with its format, names of columns or encoding given. */
    public static DataCheck of(DataFile data) {
        return new DataCheck(data);
    }

    /** Also reads a file of held-out examples, which must not stand in the others. May be called several times. */
    public DataCheck validation(Path file) {
        return validation(DataFile.of(file));
    }

    /** As {@link #validation(Path)}, of a file with its format, names of columns or encoding given. */
    public DataCheck validation(DataFile file) {
        files.add(Objects.requireNonNull(file, "file"));
        return this;
    }

    /**
     * Looks at the examples as a model does.
     *
     * @param newEncoder the model's tokenizer and chat template
     * @param newMaxLength the longest example in tokens
     * @throws ConfigurationException when the length is not positive
     */
    public DataCheck model(ChatEncoder newEncoder, int newMaxLength) {
        if (newMaxLength < 1) {
            throw new ConfigurationException("max length must be at least 1, got " + newMaxLength);
        }
        encoder = Optional.of(newEncoder);
        maxLength = newMaxLength;
        return this;
    }

    /** Which personal data is looked for; default: all but national identity numbers. */
    @Internal
    public DataCheck pii(PiiDetector newDetector) {
        detector = Objects.requireNonNull(newDetector, "detector");
        return this;
    }

    /**
     * How many findings of one code and severity are listed; all are counted. Default: 1000.
     *
     * @throws ConfigurationException when the number is negative
     */
    public DataCheck mostFindings(int most) {
        if (most < 0) {
            throw new ConfigurationException("max findings must be 0 or more, got " + most);
        }
        mostFindings = most;
        return this;
    }

    /** How many examples are shown as the model sees them; default: 3. */
    public DataCheck previews(int count) {
        previews = count;
        return this;
    }

    /** Told how far it has come. */
    public DataCheck listener(CheckListener newListener) {
        listener = Objects.requireNonNull(newListener, "listener");
        return this;
    }

    /**
     * Checks the files.
     *
     * @throws java.io.UncheckedIOException when a file cannot be read
     */
    public DataReport run() {
        try (Corpus corpus = new Corpus(); Corpus asked = new Corpus()) {
            CheckPart all = new CheckPart(files.stream().map(DataFile::toString).toList(), maxLength, previews,
                    mostFindings);
            String recognized = "";
            for (int file = 0; file < files.size(); file++) {
                OpenRows rows = DocumentRows.open(files.get(file));
                Optional<RowKind<?>> kind = rows.first().flatMap(RowKind::labelled);
                try (ExampleReader opened = ExampleReader.of(RowKind.whole(rows))) {
                    ExampleReader reader = file == 0 ? opened : opened.heldOut();
                    ParallelRows.forEach(reader, item -> all.scan(item, kind, detector, encoder),
                            take(file, all, corpus, asked),
                            read -> listener.progress("reading", read));
                    recognized = file == 0 ? reader.format().map(DataFormat::name).orElse("") : recognized;
                }
            }
            Relations relations = Relations.of(corpus, stage -> listener.progress(stage, corpus.size()));
            return new CheckEnd(all, detector).report(recognized, corpus, corpus, relations, asked,
                    Overlap.of(asked, Relations.of(asked)));
        }
    }

    /** @param asked takes the questions, if there is something to compare them with */
    private Consumer<RowScan> take(int file, CheckPart all, Corpus corpus, Corpus asked) {
        return row -> {
            all.take(file, row, row.features().isEmpty() ? OptionalInt.empty()
                    : OptionalInt.of(corpus.add(file, row.line(), row.features().get())), detector, encoder);
            row.example().filter(example -> files.size() > 1).ifPresent(example -> Overlap.add(asked, file, row.line(),
                    example, row.features().orElseThrow()));
        };
    }

    /** Told how far a check has come. */
    @FunctionalInterface
    public interface CheckListener {
        /** Does nothing. */
        CheckListener NONE = (stage, rows) -> {
        };

        /**
         * Told now and then.
         *
         * @param stage the current step
         * @param rows rows that were read so far
         */
        void progress(String stage, long rows);
    }
}
