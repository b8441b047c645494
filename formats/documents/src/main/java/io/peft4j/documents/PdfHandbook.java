package io.peft4j.documents;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.HandbookTable;
import io.peft4j.data.format.ListMarkers;
import io.peft4j.data.format.RowSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import java.util.zip.InflaterInputStream;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.cos.COSArray;
import org.apache.pdfbox.cos.COSBase;
import org.apache.pdfbox.cos.COSDocument;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.cos.COSObjectKey;
import org.apache.pdfbox.cos.COSStream;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.encryption.InvalidPasswordException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A handbook in PDF, which knows neither headings nor paragraphs: a heading is a line in larger or bold letters, a
 * paragraph ends where lines are further apart, and text in columns is a table.
 */
final class PdfHandbook {
    private static final Logger LOG = LoggerFactory.getLogger(PdfHandbook.class);
    /** Readers look for the end of a PDF in so many bytes. */
    private static final int LONGEST_END = 1024;
    private static final float LARGER = 1.08f;
    /** Lines that are further apart than this, in heights of a letter, are two paragraphs. */
    private static final float APART = 1.7f;
    private static final int LONGEST_HEADING = 120;

    private final Path file;
    private final HandbookSections sections;
    private final List<PdfLine> lines;
    /** Where they end. */
    private final float right;
    private final float body;
    private final boolean boldBody;
    private final List<Float> sizes;
    private final StringBuilder paragraph = new StringBuilder();
    private int begun;

    private PdfHandbook(Path file, HandbookSections sections, List<PdfLine> lines) {
        this.file = file;
        this.sections = sections;
        this.lines = lines;
        right = (float) lines.stream().flatMap(line -> line.words().stream()).mapToDouble(PdfLine.Word::right).max()
                .orElse(0);
        Map<Float, Integer> letters = new HashMap<>();
        lines.forEach(line -> letters.merge(size(line), line.text().length(), Integer::sum));
        body = letters.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey).orElse(1f);
        int bold = lines.stream().filter(PdfLine::isBold).mapToInt(line -> line.text().length()).sum();
        boldBody = 2 * bold > lines.stream().mapToInt(line -> line.text().length()).sum();
        sizes = letters.keySet().stream().filter(size -> size > LARGER * body).sorted(Comparator.reverseOrder())
                .toList();
    }

    static RowSource read(Path file, HandbookSections sections) throws IOException {
        requireEnd(file);
        try (PDDocument document = Loader.loadPDF(file.toFile())) {
            if (!document.getCurrentAccessPermission().canExtractContent()) {
                throw new DataException(file, 1, "does not allow its text to be extracted; ask its author for a copy "
                        + "without this restriction");
            }
            PdfStreams.requireBounded(file, document.getDocument());
            List<PdfLine> lines = PdfLines.of(document, sections);
            requireText(file, document.getNumberOfPages(), lines);
            new PdfHandbook(file, sections, lines).gather();
            return sections.rows();
        } catch (InvalidPasswordException e) {
            throw new DataException(file, 1, 0, "is encrypted with a password; save a copy without one", e);
        }
    }

    /** PDFBox reads what is left of a file that is cut off, and does not say so. */
    private static void requireEnd(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer end = ByteBuffer.allocate((int) Math.min(LONGEST_END, channel.size()));
            channel.read(end, channel.size() - end.capacity());
            if (!new String(end.array(), StandardCharsets.ISO_8859_1).contains("%%EOF")) {
                throw new DataException(file, 1, "is cut off, or no PDF: its end is missing; fetch or export it again");
            }
        }
    }

    private static void requireText(Path file, int pages, List<PdfLine> lines) {
        Set<Integer> speaking = lines.stream().map(PdfLine::page).collect(Collectors.toSet());
        List<String> silent = IntStream.rangeClosed(1, pages).filter(page -> !speaking.contains(page))
                .mapToObj(String::valueOf).toList();
        if (lines.isEmpty()) {
            throw new DataException(file, 1, "holds no text; where its pages are pictures of text, have a program for "
                    + "text recognition (OCR) add the text first");
        }
        if (!silent.isEmpty()) {
            LOG.warn("{}: no text on page {}; pictures of text are not read", file, silent.stream().limit(20)
                    .collect(Collectors.joining(", ")));
        }
    }

    private static float size(PdfLine line) {
        return Math.round(line.size() * 2) / 2f;
    }

    private void gather() {
        int at = 0;
        while (at < lines.size()) {
            PdfLine line = lines.get(at);
            sections.place("page", line.page());
            if (line.table().isPresent() || new PdfTable.Spaces(lines, right, sections).begins(at)) {
                endParagraph();
                at = table(at);
            } else if (isHeading(at)) {
                endParagraph();
                at = heading(at);
            } else {
                text(at);
                at++;
            }
        }
        endParagraph();
    }

    private int table(int from) {
        int end = lines.get(from).table().isPresent() ? from + 1
                : new PdfTable.Spaces(lines, right, sections).end(from);
        PdfTable table = lines.get(from).table()
                .orElseGet(() -> new PdfTable.Spaces(lines.subList(from, end), right, sections)
                        .read());
        int at = end;
        while (at < lines.size() && lines.get(at).table().isPresent() && table.goesOnAs(lines.get(at).table().get(),
                lines.get(at - 1).page())) {
            table = table.with(lines.get(at).table().get());
            at++;
        }
        if (table.doubt().isPresent()) {
            LOG.warn("{}: page {}: a table's {} could not be read; its text is left out", file, table.page(), table
                    .doubt().get());
        } else {
            sections.table(new HandbookTable(table.grid()), table.page());
        }
        return at;
    }

    private boolean isHeading(int at) {
        PdfLine line = lines.get(at);
        String text = line.text();
        boolean larger = size(line) > LARGER * body;
        return line.table().isEmpty() && text.length() <= LONGEST_HEADING
                && text.codePoints().anyMatch(Character::isLetter)
                && !text.endsWith(".") && (larger || line.isBold() && !boldBody && size(line) >= body
                        && !text.endsWith(":"));
    }

    /** Headings of several lines in one font are one. */
    private int heading(int from) {
        List<String> title = new ArrayList<>();
        int at = from;
        while (at < lines.size() && isHeading(at) && size(lines.get(at)) == size(lines.get(from))
                && lines.get(at).isBold() == lines.get(from).isBold()
                && (at == from || isClose(at))) {
            title.add(lines.get(at).text());
            at++;
        }
        int level = sizes.indexOf(size(lines.get(from)));
        sections.heading(1 + (level < 0 ? sizes.size() : level), String.join(" ", title), lines.get(from).page());
        return at;
    }

    private boolean isClose(int at) {
        PdfLine line = lines.get(at);
        PdfLine before = lines.get(at - 1);
        return line.page() == before.page() && line.base() - before.base() < APART * line.size();
    }

    private void text(int at) {
        PdfLine line = lines.get(at);
        String text = line.text();
        boolean sentenceGoesOn = at > 0 && line.page() != lines.get(at - 1).page() && paragraph.length() > 0
                && Character.isLowerCase(text.codePointAt(0));
        if (paragraph.length() > 0 && (ListMarkers.begins(text) || !sentenceGoesOn && !isClose(at))) {
            endParagraph();
        }
        if (paragraph.length() == 0) {
            begun = line.page();
        }
        int length = paragraph.length();
        // Kündi- gung is one word, "Vor- und Nachteile" are three.
        if (length > 1 && paragraph.charAt(length - 1) == '-' && Character.isLetter(paragraph.charAt(length - 2))
                && Character.isLowerCase(text.codePointAt(0)) && !text.matches("(und|oder|and|or|bis|to)\\b.*")) {
            paragraph.setLength(length - 1);
        } else if (length > 0) {
            paragraph.append(' ');
        }
        paragraph.append(length > 0 && line.page() != lines.get(at - 1).page() ? HandbookSections.mark(line.page())
                : "").append(text);
    }

    private void endParagraph() {
        sections.text(paragraph.toString(), begun);
        paragraph.setLength(0);
    }

    /**
     * What the packed streams of a PDF unpack to, which is counted before any is unpacked into memory: 64 MiB, and
     * beyond that 100 times the file's length.
     */
    private static final class PdfStreams {
        private static final long FREE = 64L << 20;
        private static final int TIMES = 100;
        private static final int BUFFER = 1 << 16;

        private PdfStreams() {
        }

        static void requireBounded(Path file, COSDocument document) throws IOException {
            long most = FREE + TIMES * Files.size(file);
            long left = most;
            // Those with another sign lie within one of these.
            for (Map.Entry<COSObjectKey, Long> place : Map.copyOf(document.getXrefTable()).entrySet()) {
                COSBase object = place.getValue() > 0 ? document.getObjectFromPool(place.getKey()).getObject() : null;
                if (object instanceof COSStream stream && !COSName.IMAGE.equals(stream.getCOSName(COSName.SUBTYPE))) {
                    left -= length(stream, left);
                }
                if (left <= 0) {
                    throw new DataException(file, 1,
                            "unpacks to more than " + (most >> 20) + " MiB, the limit for a file "
                                    + "of its length");
                }
            }
        }

        private static long length(COSStream stream, long most) throws IOException {
            InputStream unpacked = stream.createRawInputStream();
            for (COSName filter : filters(stream)) {
                if (!COSName.FLATE_DECODE.equals(filter) && !COSName.FLATE_DECODE_ABBREVIATION.equals(filter)) {
                    break;
                }
                unpacked = new InflaterInputStream(unpacked);
            }
            byte[] buffer = new byte[BUFFER];
            long length = 0;
            try (InputStream in = unpacked) {
                for (int read = in.read(buffer); read > 0 && length <= most; read = in.read(buffer)) {
                    length += read;
                }
            } catch (IOException e) {
                // Damaged: PDFBox takes what comes before, too, or says so.
                return length;
            }
            return length;
        }

        private static List<COSName> filters(COSStream stream) {
            COSBase filters = stream.getFilters();
            return filters instanceof COSName name ? List.of(name) : !(filters instanceof COSArray names) ? List.of()
                    : StreamSupport.stream(names.spliterator(), false).filter(COSName.class::isInstance)
                            .map(COSName.class::cast).toList();
        }
    }
}
