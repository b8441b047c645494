package io.peft4j.documents;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A line on a page; places and sizes are in points, from the upper left corner.
 *
 * @param page the number of its page, from 1
 * @param base where its letters stand
 * @param words its words from left to right, at least one
 * @param table the table in its place, of which it has all words
 */
record PdfLine(int page, float base, List<Word> words, Optional<PdfTable> table) {
    /** More space than this between words, in heights of a letter, and what follows is another cell of a table. */
    private static final float CELL_GAP = 0.95f;
    /** Or this where it is more than between the line's other words, which justified text has further apart. */
    private static final float SMALL_CELL_GAP = 0.75f;
    private static final float MORE_THAN_OTHERS = 1.8f;
    private static final int FEW_WORDS = 4;
    private static final float MARGIN = 3;
    /** What precedes the items of a list, and before headings. */
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
     * @param words them
     * @param left where the first one begins
     * @param right where the last one ends
     */
    record Cell(List<Word> words, float left, float right) {
        /** The length that both have above or below each other. */
        float overlap(Cell other) {
            return Math.min(right, other.right) - Math.max(left, other.left);
        }
    }

    /** The words with spaces between them. */
    String text() {
        return text(words);
    }

    static String text(List<Word> words) {
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

    /**
     * The words by the gaps between them.
     *
     * @param end where the lines of the document end, up to which justified text is spread
     */
    List<Cell> cells(float end) {
        List<Cell> cells = new ArrayList<>();
        List<Word> close = new ArrayList<>();
        double[] gaps = IntStream.range(1, words.size())
                .mapToDouble(i -> words.get(i).left() - words.get(i - 1).right()).sorted().toArray();
        boolean spread = gaps.length >= FEW_WORDS && words.get(words.size() - 1).right() > end - MARGIN * size();
        double usual = spread ? gaps[(gaps.length - 1) / 2] : 0;
        for (Word word : words) {
            float gap = close.isEmpty() ? 0 : word.left() - close.get(close.size() - 1).right();
            if (gap > CELL_GAP * word.size() || gap > SMALL_CELL_GAP * word.size() && gap > MORE_THAN_OTHERS * usual) {
                cells.add(cell(close));
                close.clear();
            }
            close.add(word);
        }
        cells.add(cell(close));
        if (cells.size() > 1 && MARKER.matcher(text(cells.get(0).words())).matches()) {
            Cell second = cells.remove(1);
            cells.set(0, cell(Stream.concat(cells.get(0).words().stream(), second.words().stream()).toList()));
        }
        return cells;
    }

    private static Cell cell(List<Word> close) {
        return new Cell(List.copyOf(close), close.get(0).left(), close.get(close.size() - 1).right());
    }
}
