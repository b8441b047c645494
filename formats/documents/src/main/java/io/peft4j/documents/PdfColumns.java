package io.peft4j.documents;

import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Pages that are set in two columns, whose lines come side by side: the left column is read before the right one. Where
 * short texts stand beside each other that is a table, and stays one.
 */
final class PdfColumns {
    private static final int FEWEST_LINES = 12;
    private static final int FEWEST_LETTERS = 20;
    private static final float FROM = 0.35f;
    private static final float TO = 0.65f;
    private static final float STEP = 2;
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

    /** Whether a line stands to the left or to the right of a table. */
    private static boolean isBeside(PdfLine line, PdfLine table) {
        return right(line) < left(table) || left(line) > right(table);
    }

    private static List<PdfLine> textInOrder(List<PdfLine> page) {
        float left = (float) page.stream().mapToDouble(PdfColumns::left).min().orElse(0);
        float right = (float) page.stream().mapToDouble(PdfColumns::right).max().orElse(0);
        float gutter = left;
        long fewest = page.size();
        for (float at = left + FROM * (right - left); at < left + TO * (right - left); at += STEP) {
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

    /** Whether a word, or the usual space between two words, stands there. */
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
        return new PdfLine(line.page(), line.base(), line.words().stream().filter(word -> word.right() <= at == left)
                .toList(), Optional.empty());
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
