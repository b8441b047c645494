package io.peft4j.documents;

import io.peft4j.data.format.HandbookSections;
import java.io.IOException;
import java.io.Writer;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.pdfbox.contentstream.operator.Operator;
import org.apache.pdfbox.cos.COSBase;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.font.PDFont;
import org.apache.pdfbox.text.PDFTextStripper;
import org.apache.pdfbox.text.TextPosition;
import technology.tabula.ObjectExtractor;

/** The lines of a PDF with the places and fonts of their words, without what repeats at the edges of pages. */
final class PdfLines extends PDFTextStripper {
    /** What is on so many pages, and on more than half, is a running title. */
    private static final int FEWEST_PAGES = 3;
    private static final int EDGE = 2;
    private static final int BOLD_WEIGHT = 600;
    /** Pages with more operators are drawings, in which no tables are looked for. */
    private static final int MOST_DRAWN = 200_000;
    private static final int PLACE = 64;
    /** In heights of a letter. */
    private static final float WORD_GAP = 0.5f;
    private static final Pattern LIGATURE = Pattern.compile("[\\x{FB00}-\\x{FB06}]");
    private static final Pattern PAGE_NUMBER = Pattern.compile("\\W*(page|seite|p\\.|s\\.)?\\s*0"
            + "(\\s*(of|von|/)\\s*0)?\\W*");
    /** A line of a table of contents. */
    private static final Pattern CONTENTS = Pattern.compile(".*(\\. ?){4,}\\s*[\\divxlc]+");

    private final List<PdfLine> lines = new ArrayList<>();
    private final List<PdfLine.Word> words = new ArrayList<>();
    private float base;

    private PdfLines() throws IOException {
        setSortByPosition(true);
    }

    /** Those of a document, whose pages are turned so that most of their text can be read. */
    static List<PdfLine> of(PDDocument document, HandbookSections sections) throws IOException {
        // PDFBox goes through all pages to reach one.
        sections.step((long) PLACE * document.getNumberOfPages() + (long) document.getNumberOfPages() * document
                .getNumberOfPages());
        PdfLines lines = new PdfLines();
        Set<Integer> drawings = new HashSet<>();
        int number = 0;
        for (PDPage page : document.getPages()) {
            number++;
            Look look = new Look(sections);
            page.setRotation(look.direction(document, page, number));
            if (look.operators > MOST_DRAWN) {
                drawings.add(number);
            }
        }
        lines.writeText(document, Writer.nullWriter());
        Map<Integer, List<PdfLine>> pages = lines.lines.stream().collect(Collectors.groupingBy(PdfLine::page,
                TreeMap::new, Collectors.toList()));
        List<PdfLine> withTables = new ArrayList<>();
        // Closing it would close the document.
        ObjectExtractor drawn = new ObjectExtractor(document);
        pages.forEach((page, text) -> withTables.addAll(drawings.contains(page) ? text
                : PdfRules.tablesIn(drawn.extract(page), text, sections)));
        return withoutRunningTitles(withTables).stream().collect(Collectors.groupingBy(PdfLine::page, TreeMap::new,
                Collectors.toList())).values().stream().flatMap(page -> PdfColumns.inOrder(page).stream()).toList();
    }

    /**
     * Reads a page for the first time, for what it holds: what takes too long or too much memory ends here, and each
     * later reading is of the same.
     */
    private static final class Look extends PDFTextStripper {
        private static final int OPERATOR = 16;
        private static final int LETTER = 64;
        private static final int DEEPEST = 1000;

        private final HandbookSections sections;
        private final Map<Integer, Integer> letters = new HashMap<>();
        private int operators;

        Look(HandbookSections sections) throws IOException {
            this.sections = sections;
        }

        /** The direction of most of its letters, in degrees. */
        int direction(PDDocument document, PDPage page, int number) throws IOException {
            setStartPage(number);
            setEndPage(number);
            writeText(document, Writer.nullWriter());
            return letters.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey)
                    .orElse(page.getRotation());
        }

        @Override
        protected void processOperator(Operator operator, List<COSBase> operands) throws IOException {
            operators++;
            sections.step(OPERATOR);
            if (getGraphicsStackSize() > DEEPEST) {
                throw new IOException("states of drawing are kept more than " + DEEPEST + " deep");
            }
            super.processOperator(operator, operands);
        }

        @Override
        protected void processTextPosition(TextPosition letter) {
            sections.step(LETTER);
            letters.merge((int) letter.getDir(), 1, Integer::sum);
        }
    }

    /** What is handed over may hold several words, even of columns beside each other, where there are spaces. */
    @Override
    protected void writeString(String text, List<TextPosition> letters) {
        List<TextPosition> word = new ArrayList<>();
        for (TextPosition letter : letters) {
            boolean blank = letter.getUnicode() == null || letter.getUnicode().isBlank();
            float gap = word.isEmpty() ? 0 : letter.getXDirAdj() - right(word);
            if (blank || gap > WORD_GAP * size(letter)) {
                addWord(word);
                word.clear();
            }
            if (!blank) {
                word.add(letter);
            }
        }
        addWord(word);
    }

    private void addWord(List<TextPosition> letters) {
        if (letters.isEmpty()) {
            return;
        }
        TextPosition first = letters.get(0);
        String text = letters.stream().map(TextPosition::getUnicode).collect(Collectors.joining());
        words.add(new PdfLine.Word(LIGATURE.matcher(text).replaceAll(found -> Normalizer.normalize(found.group(),
                Normalizer.Form.NFKC)), first.getXDirAdj(), right(letters), size(first), isBold(first.getFont())));
        base = first.getYDirAdj();
    }

    private static float right(List<TextPosition> letters) {
        TextPosition last = letters.get(letters.size() - 1);
        return last.getXDirAdj() + last.getWidthDirAdj();
    }

    private static float size(TextPosition letter) {
        return letter.getFontSizeInPt() > 0 ? letter.getFontSizeInPt() : letter.getHeightDir();
    }

    private static boolean isBold(PDFont font) {
        String name = font == null || font.getName() == null ? "" : font.getName().toLowerCase(Locale.ROOT);
        return name.contains("bold") || name.contains("black") || name.contains("heavy")
                || font != null && font.getFontDescriptor() != null
                        && font.getFontDescriptor().getFontWeight() >= BOLD_WEIGHT;
    }

    @Override
    protected void writeLineSeparator() {
        if (!words.isEmpty()) {
            PdfLine line = new PdfLine(getCurrentPageNo(), base, List.copyOf(words), Optional.empty());
            if (!CONTENTS.matcher(line.text()).matches()) {
                lines.add(line);
            }
            words.clear();
        }
    }

    @Override
    protected void writePageEnd() {
        writeLineSeparator();
    }

    private static List<PdfLine> withoutRunningTitles(List<PdfLine> all) {
        Map<Integer, List<PdfLine>> pages = all.stream().collect(Collectors.groupingBy(PdfLine::page));
        Map<String, Integer> seen = new HashMap<>();
        Set<PdfLine> edges = new HashSet<>();
        for (List<PdfLine> page : pages.values()) {
            Set<String> once = new HashSet<>();
            for (int i = 0; i < page.size(); i++) {
                if (page.get(i).table().isEmpty() && (i < EDGE || i >= page.size() - EDGE)) {
                    edges.add(page.get(i));
                    once.add(form(page.get(i)));
                }
            }
            once.forEach(form -> seen.merge(form, 1, Integer::sum));
        }
        return all.stream().filter(line -> !edges.contains(line) || !PAGE_NUMBER.matcher(form(line)).matches()
                && (seen.get(form(line)) < FEWEST_PAGES || seen.get(form(line)) * 2 <= pages.size())).toList();
    }

    /** The same for the numbers of all pages. */
    private static String form(PdfLine line) {
        return line.text().replaceAll("\\d+", "0").toLowerCase(Locale.ROOT);
    }

    /**
     * Pages that are set in two columns, whose lines come side by side: the left column is read before the right one.
     * Where short texts stand beside each other that is a table, and stays one.
     */
    private static final class PdfColumns {
        private static final int FEWEST_LINES = 12;
        private static final int FEWEST_LETTERS = 20;
        private static final float FROM = 0.35f;
        private static final float TO = 0.65f;
        private static final float STEP = 2;
        /** However wide a page is. */
        private static final int MOST_PLACES = 1000;
        private static final double MOST_ACROSS = 0.25;

        private PdfColumns() {
        }

        /** The lines of a page in the order in which they are read, and each table behind the last one above it. */
        static List<PdfLine> inOrder(List<PdfLine> all) {
            List<PdfLine> lines = new ArrayList<>(textInOrder(all.stream().filter(line -> line.table().isEmpty())
                    .toList()));
            for (PdfLine table : all.stream().filter(line -> line.table().isPresent()).toList()) {
                int[] over = IntStream.range(0, lines.size()).filter(i -> !isBeside(lines.get(i), table)).toArray();
                int[] above = IntStream.of(over).filter(i -> lines.get(i).base() < table.base()).toArray();
                lines.add(above.length > 0 ? above[above.length - 1] + 1 : over.length > 0 ? over[0] : lines.size(),
                        table);
            }
            return lines;
        }

        /** Whether a line is to the left or to the right of a table. */
        private static boolean isBeside(PdfLine line, PdfLine table) {
            return right(line) < left(table) || left(line) > right(table);
        }

        private static List<PdfLine> textInOrder(List<PdfLine> page) {
            float left = (float) page.stream().mapToDouble(PdfColumns::left).min().orElse(0);
            float right = (float) page.stream().mapToDouble(PdfColumns::right).max().orElse(0);
            float gutter = left;
            long fewest = page.size();
            float step = Math.max(STEP, (right - left) / MOST_PLACES);
            for (float at = left + FROM * (right - left); at < left + TO * (right - left); at += step) {
                long across = across(page, at);
                if (across < fewest) {
                    gutter = at;
                    fewest = across;
                }
            }
            return isGutter(page, gutter) ? ordered(page, gutter) : page;
        }

        private static long across(List<PdfLine> page, float at) {
            return page.stream().filter(line -> isAcross(line, at)).count();
        }

        private static float left(PdfLine line) {
            return (float) line.words().stream().mapToDouble(PdfLine.Word::left).min().orElse(0);
        }

        private static float right(PdfLine line) {
            return (float) line.words().stream().mapToDouble(PdfLine.Word::right).max().orElse(0);
        }

        /** Whether hardly a line crosses this place, and many long ones stand on either side of it. */
        private static boolean isGutter(List<PdfLine> page, float at) {
            return across(page, at) <= MOST_ACROSS * page.size() && isText(page, at, true) && isText(page, at, false);
        }

        private static boolean isText(List<PdfLine> page, float at, boolean left) {
            IntSummaryStatistics letters = page.stream().filter(line -> !isAcross(line, at))
                    .map(line -> side(line, at, left)).filter(line -> !line.words().isEmpty())
                    .mapToInt(line -> line.text().length()).summaryStatistics();
            return letters.getCount() >= FEWEST_LINES && letters.getAverage() >= FEWEST_LETTERS;
        }

        /** Whether a word, or the usual space between two words, is there. */
        private static boolean isAcross(PdfLine line, float at) {
            for (int i = 0; i < line.words().size(); i++) {
                PdfLine.Word word = line.words().get(i);
                float before = i == 0 ? word.left() : line.words().get(i - 1).right();
                float begins = word.left() - before < word.size() / 2 ? before : word.left();
                if (begins < at && word.right() > at) {
                    return true;
                }
            }
            return false;
        }

        private static PdfLine side(PdfLine line, float at, boolean left) {
            return new PdfLine(line.page(), line.base(),
                    line.words().stream().filter(word -> word.right() <= at == left)
                            .toList(),
                    Optional.empty());
        }

        private static List<PdfLine> ordered(List<PdfLine> page, float at) {
            List<PdfLine> ordered = new ArrayList<>();
            List<PdfLine> right = new ArrayList<>();
            for (PdfLine line : page) {
                if (isAcross(line, at)) {
                    ordered.addAll(right);
                    right.clear();
                    ordered.add(line);
                } else {
                    PdfLine one = side(line, at, true);
                    PdfLine other = side(line, at, false);
                    if (!one.words().isEmpty()) {
                        ordered.add(one);
                    }
                    if (!other.words().isEmpty()) {
                        right.add(other);
                    }
                }
            }
            ordered.addAll(right);
            return ordered;
        }
    }
}
