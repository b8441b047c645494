package io.peft4j.documents.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A line on a page; places and sizes are in points, from the upper left corner.
 *
 * @param page the number of its page, from 1
 * @param base where its letters stand
 * @param words its words from left to right, at least one
 */
record PdfLine(int page, float base, List<Word> words) {
    /** More space than this between words, in heights of a letter, and what follows is another cell of a table. */
    private static final float CELL_GAP = 1.5f;
    /** Or this where it is more than between the line's other words, which justified text has further apart. */
    private static final float SMALL_CELL_GAP = 0.75f;
    private static final float MORE_THAN_OTHERS = 1.8f;
    private static final int FEW_WORDS = 4;
    /** What stands before the items of a list, and before headings. */
    private static final Pattern MARKER = Pattern.compile("[\u2022\u25cf\u25aa\u25e6\u2013*o-]"
            + "|\\(?(\\d+(\\.\\d+)*|\\p{L})[.)]?|\u00a7\\s*\\d+");

    /**
     * A word.
     *
     * @param text its letters
     * @param left where it begins
     * @param right where it ends
     * @param size of its font
     * @param bold whether its font is bold
     */
    record Word(String text, float left, float right, float size, boolean bold) {
    }

    /**
     * Words that stand close together.
     *
     * @param text with spaces between them
     * @param left where the first one begins
     * @param right where the last one ends
     */
    record Cell(String text, float left, float right) {
        /** The length that both have above or below each other. */
        float overlap(Cell other) {
            return Math.min(right, other.right) - Math.max(left, other.left);
        }

        /** How far apart their middles are. */
        float distance(Cell other) {
            return Math.abs(left + right - other.left - other.right) / 2;
        }
    }

    /** The words with spaces between them. */
    String text() {
        return words.stream().map(Word::text).collect(Collectors.joining(" "));
    }

    /** The size of the font that most letters have; the mark of a list's item may have another. */
    float size() {
        Map<Float, Integer> letters = new HashMap<>();
        words.forEach(word -> letters.merge(word.size(), word.text().length(), Integer::sum));
        return letters.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    }

    boolean isBold() {
        return words.stream().allMatch(Word::bold);
    }

    /** The words by the gaps between them. */
    List<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        List<Word> close = new ArrayList<>();
        double[] gaps = IntStream.range(1, words.size())
                .mapToDouble(i -> words.get(i).left() - words.get(i - 1).right()).sorted().toArray();
        double usual = gaps.length < FEW_WORDS ? 0 : gaps[(gaps.length - 1) / 2];
        for (Word word : words) {
            float gap = close.isEmpty() ? 0 : word.left() - close.get(close.size() - 1).right();
            if (gap > CELL_GAP * word.size() || gap > SMALL_CELL_GAP * word.size() && gap > MORE_THAN_OTHERS * usual) {
                cells.add(cell(close));
                close.clear();
            }
            close.add(word);
        }
        cells.add(cell(close));
        if (cells.size() > 1 && MARKER.matcher(cells.get(0).text()).matches()) {
            Cell second = cells.remove(1);
            cells.set(0, new Cell(cells.get(0).text() + " " + second.text(), cells.get(0).left(), second.right()));
        }
        return cells;
    }

    private static Cell cell(List<Word> close) {
        return new Cell(close.stream().map(Word::text).collect(Collectors.joining(" ")), close.get(0).left(),
                close.get(close.size() - 1).right());
    }
}
