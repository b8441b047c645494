package io.peft4j.data.near;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.OpenRows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Passages of a text, found by the words that they share with a question (BM25).
 *
 * <pre>{@code
 * PassageIndex handbook = PassageIndex.ofFile(Path.of("handbook.md"));
 * List<String> found = handbook.best("What is the notice period?", 2);
 * }</pre>
 */
public final class PassageIndex {
    private final List<String> texts;
    private final Bm25 index;

    private PassageIndex(List<String> texts) {
        this.texts = List.copyOf(texts);
        this.index = new Bm25(this.texts);
    }

    /** An index of texts; without any it finds none. */
    public static PassageIndex of(List<String> texts) {
        return new PassageIndex(texts);
    }

    /**
     * The paragraphs of a text file, as of a handbook in Markdown: what blank lines divide. A heading goes with the
     * paragraph below it. Of a handbook in HTML, PDF, DOCX or XLSX each section is a passage.
     *
     * @throws DataException when there is none, or the document cannot be read
     * @throws UncheckedIOException when the file cannot be read as UTF-8
     */
    public static PassageIndex ofFile(Path file) {
        List<String> passages = file.toString().toLowerCase(Locale.ROOT).matches(".*\\.(pdf|docx|xlsx|html?)")
                ? sections(file)
                : paragraphs(file);
        if (passages.isEmpty()) {
            throw new DataException(file, "holds no paragraph");
        }
        return new PassageIndex(passages);
    }

    private static List<String> sections(Path file) {
        List<String> sections = new ArrayList<>();
        try (OpenRows rows = OpenRows.open(DataFile.of(file))) {
            rows.forEach(row -> sections.add((row.fields().get("heading") + "\n" + row.fields().get("answer"))
                    .strip()));
        }
        return sections;
    }

    private static List<String> paragraphs(Path file) {
        List<String> paragraphs = new ArrayList<>();
        StringBuilder heading = new StringBuilder();
        try {
            for (String part : Files.readString(file).split("\\R\\s*\\R")) {
                String text = part.strip();
                if (text.startsWith("#") && text.lines().count() == 1) {
                    heading.append(text.replaceFirst("^#+\\s*", "")).append("\n");
                } else if (!text.isEmpty()) {
                    paragraphs.add(heading + text);
                    heading.setLength(0);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + " as text", e);
        }
        return paragraphs;
    }

    /** The passages, in their order. */
    public List<String> texts() {
        return texts;
    }

    /** The passages that match a question best, the best first: none that shares no word with it. */
    public List<String> best(String question, int most) {
        return Arrays.stream(index.best(question, most)).mapToObj(texts::get).toList();
    }

    @Override
    public String toString() {
        return texts.size() + " passages";
    }
}
