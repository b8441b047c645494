package io.peft4j.cli;

import java.util.ArrayList;
import java.util.List;

/** Two texts in columns next to each other. */
final class TextColumns {
    private static final String INDENT = "  ";
    private static final String GAP = " | ";

    private final int width;

    /**
     * Columns that fill a line.
     *
     * @param columns characters of a line
     */
    TextColumns(int columns) {
        this.width = (columns - INDENT.length() - GAP.length()) / 2;
    }

    /** The lines of two texts, broken between words. */
    List<String> lines(String left, String right) {
        List<String> lefts = wrap(left, width);
        List<String> rights = wrap(right, width);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < Math.max(lefts.size(), rights.size()); i++) {
            String first = i < lefts.size() ? lefts.get(i) : "";
            String second = i < rights.size() ? rights.get(i) : "";
            lines.add((INDENT + first + " ".repeat(width - first.length()) + GAP + second).stripTrailing());
        }
        return lines;
    }

    /** Lines of at most {@code width} characters; a word that is longer is cut. */
    static List<String> wrap(String text, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.strip().split("\\s+")) {
            String rest = word;
            if (!line.isEmpty() && line.length() + 1 + rest.length() > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            while (rest.length() > width) {
                lines.add(rest.substring(0, width));
                rest = rest.substring(width);
            }
            line.append(line.isEmpty() ? "" : " ").append(rest);
        }
        lines.add(line.toString());
        return lines;
    }
}
