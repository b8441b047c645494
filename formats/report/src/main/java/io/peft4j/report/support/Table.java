package io.peft4j.report.support;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A table. The first column says what a row is about, the others hold figures unless they are said to hold text. On a
 * phone a table of figures scrolls within its card, and one with text shows each row as a block.
 */
public final class Table {
    private final List<String> header;
    private Set<Integer> texts = Set.of();
    private final Html body = Html.tag("tbody");

    private Table(List<String> header) {
        this.header = header;
    }

    /** A table with these columns. */
    public static Table of(String... header) {
        return new Table(List.of(header));
    }

    /** A table with these columns. */
    public static Table of(List<String> header) {
        return new Table(List.copyOf(header));
    }

    /** The columns that hold text, counted from 0; to be said before the first row. */
    public Table texts(int... columns) {
        texts = Arrays.stream(columns).boxed().collect(Collectors.toSet());
        return this;
    }

    /**
     * Adds a row.
     *
     * @param cells one for each column, as {@link Html#add} takes them
     * @throws IllegalArgumentException when there are more or fewer
     */
    public Table row(Object... cells) {
        if (cells.length != header.size()) {
            throw new IllegalArgumentException("a row of " + cells.length + " cells in a table of " + header.size()
                    + " columns " + header);
        }
        Html row = Html.tag("tr");
        for (int i = 0; i < cells.length; i++) {
            Html cell = i == 0 ? Html.tag("th").with("scope", "row") : Html.tag("td");
            cell = texts.contains(i) ? cell.css("prose") : cell;
            row.add(texts.isEmpty() ? cell.add(cells[i])
                    : cell.with("data-label", header.get(i)).add(Html.tag("div", cells[i])));
        }
        body.add(row, "\n");
        return this;
    }

    /** The table. */
    public Html html() {
        Html head = Html.tag("tr");
        for (int i = 0; i < header.size(); i++) {
            Html cell = Html.tag("th", header.get(i)).with("scope", "col");
            head.add(texts.contains(i) ? cell.css("prose") : cell);
        }
        Html table = Html.tag("table", Html.tag("thead", head), body);
        // What scrolls must be reached by keyboard, and be called something then.
        return texts.isEmpty()
                ? Html.tag("div", table).css("scroll").with("tabindex", 0).with("role", "region")
                        .with("aria-label", String.join(", ", header))
                : table.css("stack");
    }
}
