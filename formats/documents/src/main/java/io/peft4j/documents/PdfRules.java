package io.peft4j.documents;

import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.HandbookTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import technology.tabula.Page;
import technology.tabula.Rectangle;
import technology.tabula.extractors.SpreadsheetExtractionAlgorithm;

/** A table whose cells are divided by lines, which tabula finds: a word is of the cell in which its middle lies. */
final class PdfRules {
    /** Drawings have more. */
    private static final int MOST_LINES = 4000;
    private static final int MOST_CROSSINGS = 40_000;
    /** Lines that are closer are one, and letters may reach so far over one. */
    private static final float THIN = 3;
    private static final float MIDDLE = 0.3f;
    private static final float APART = 1.5f;

    private final List<Float> across;
    private final List<Float> down;
    private final Rectangle area;
    private final List<Rectangle> cells;
    /** The lines of each cell. */
    private final Map<Rectangle, List<PdfLine>> texts = new HashMap<>();
    private final List<PdfLine.Word> words = new ArrayList<>();
    private boolean crossed;

    private PdfRules(Rectangle area, List<? extends Rectangle> all) {
        this.area = area;
        cells = all.stream().filter(cell -> area.contains(cell.getCenterX(), cell.getCenterY()))
                .map(Rectangle.class::cast).toList();
        across = edges(cells.stream().flatMapToDouble(cell -> DoubleStream.of(cell.getLeft(), cell.getRight())));
        down = edges(cells.stream().flatMapToDouble(cell -> DoubleStream.of(cell.getTop(), cell.getBottom())));
    }

    private static List<Float> edges(DoubleStream places) {
        List<Float> edges = new ArrayList<>();
        places.sorted().filter(place -> edges.isEmpty() || place > edges.get(edges.size() - 1) + THIN)
                .forEach(place -> edges.add((float) place));
        return edges;
    }

    /** The lines of a page, with those of each table as one. */
    static List<PdfLine> tablesIn(Page page, List<PdfLine> lines, HandbookSections sections) {
        List<PdfLine> left = lines;
        if (page.getUnprocessedRulings().size() <= MOST_LINES
                && (long) page.getHorizontalRulings().size() * page.getVerticalRulings().size() <= MOST_CROSSINGS) {
            List<technology.tabula.Cell> cells = SpreadsheetExtractionAlgorithm.findCells(page.getHorizontalRulings(),
                    page.getVerticalRulings());
            for (Rectangle area : SpreadsheetExtractionAlgorithm.findSpreadsheetsFromCells(cells)) {
                PdfRules table = new PdfRules(area, cells);
                sections.step((long) table.cells.size() * (1 + lines.stream().mapToInt(line -> line.words().size())
                        .sum()));
                // A frame around text is none.
                left = table.across.size() > 2 ? table.taken(left) : left;
            }
        }
        return left;
    }

    private List<PdfLine> taken(List<PdfLine> lines) {
        List<PdfLine> left = new ArrayList<>();
        for (PdfLine line : lines) {
            float middle = line.base() - MIDDLE * line.size();
            List<PdfLine.Word> others = new ArrayList<>();
            for (PdfLine.Word word : line.words()) {
                if (line.table().isPresent() || !area.contains((word.left() + word.right()) / 2, middle)) {
                    others.add(word);
                } else {
                    words.add(word);
                    add(line, word, middle);
                }
            }
            if (!others.isEmpty()) {
                left.add(new PdfLine(line.page(), line.base(), others, line.table()));
            }
        }
        if (!words.isEmpty()) {
            left.add(new PdfLine(lines.get(0).page(), area.getTop(), words, Optional.of(table(lines.get(0).page()))));
        }
        return left;
    }

    private void add(PdfLine line, PdfLine.Word word, float middle) {
        Optional<Rectangle> cell = cells.stream().filter(one -> one.contains((word.left() + word.right()) / 2, middle))
                .findFirst();
        crossed |= cell.isEmpty() || word.left() < cell.get().getLeft() - THIN || word.right() > cell.get().getRight()
                + THIN;
        cell.ifPresent(place -> {
            List<PdfLine> text = texts.computeIfAbsent(place, none -> new ArrayList<>());
            boolean same = !text.isEmpty() && text.get(text.size() - 1).base() == line.base();
            List<PdfLine.Word> all = new ArrayList<>(same ? text.remove(text.size() - 1).words() : List.of());
            all.add(word);
            text.add(new PdfLine(line.page(), line.base(), all, Optional.empty()));
        });
    }

    private PdfTable table(int page) {
        Map<Rectangle, HandbookTable.Cell> told = new HashMap<>();
        cells.forEach(cell -> told.computeIfAbsent(cell, one -> new HandbookTable.Cell(String.join(" ", texts
                .getOrDefault(one, List.of()).stream().map(PdfLine::text).toList()))));
        List<List<HandbookTable.Cell>> grid = IntStream.range(1, down.size()).mapToObj(r -> IntStream.range(1, across
                .size()).mapToObj(
                        c -> at((across.get(c - 1) + across.get(c)) / 2, (down.get(r - 1) + down.get(r)) / 2)
                                .map(told::get).orElse(new HandbookTable.Cell("")))
                .toList()).toList();
        return new PdfTable(page, across, grid, crossed ? Optional.of(PdfTable.COLUMNS) : holdsRows()
                ? Optional.of(PdfTable.ROWS) : Optional.empty());
    }

    private Optional<Rectangle> at(float x, float y) {
        return cells.stream().filter(cell -> cell.contains(x, y)).findFirst();
    }

    /** Whether lines of two cells end at one height though their next words had room, or stand further apart. */
    private boolean holdsRows() {
        Set<Integer> ends = new HashSet<>();
        boolean twice = false;
        for (Map.Entry<Rectangle, List<PdfLine>> cell : texts.entrySet()) {
            List<PdfLine> text = cell.getValue();
            for (int i = 1; i < text.size(); i++) {
                List<PdfLine.Word> above = text.get(i - 1).words();
                float room = cell.getKey().getRight() - Math.max(THIN, above.get(0).left() - cell.getKey().getLeft());
                boolean ended = text.get(i).base() - text.get(i - 1).base() > APART * text.get(i).size()
                        || !PdfTable.isFull(above, text.get(i).words().get(0), room);
                twice |= ended && !ends.add(Math.round(text.get(i).base()));
            }
        }
        return twice;
    }
}
