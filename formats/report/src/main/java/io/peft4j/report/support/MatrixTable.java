package io.peft4j.report.support;

import java.util.List;
import java.util.function.IntBinaryOperator;
import java.util.stream.IntStream;

/**
 * A confusion matrix: a table of counts whose cells are the darker the larger their share of the row is, green on the
 * diagonal, where both classes are the same, red beside it.
 */
public final class MatrixTable {
    private static final int SHADES = 9;

    private MatrixTable() {
    }

    /**
     * The table.
     *
     * @param corner what rows and columns are
     * @param names the classes, of rows and columns
     * @param count the count of a row and a column
     */
    public static Html of(String corner, List<String> names, IntBinaryOperator count) {
        Html head = Html.tag("tr", Html.tag("th", corner).with("scope", "col"));
        names.forEach(name -> head.add(Html.tag("th", name).with("scope", "col")));
        Html body = Html.tag("tbody");
        for (int i = 0; i < names.size(); i++) {
            int row = i;
            int sum = IntStream.range(0, names.size()).map(j -> count.applyAsInt(row, j)).sum();
            Html line = Html.tag("tr", Html.tag("th", names.get(i)).with("scope", "row"));
            for (int j = 0; j < names.size(); j++) {
                int cell = count.applyAsInt(i, j);
                int shade = sum == 0 || cell == 0 ? 0 : Math.max(1, Math.round((float) SHADES * cell / sum));
                line.add(Html.tag("td", cell).css((i == j ? "same" : "other") + " shade" + shade));
            }
            body.add(line, "\n");
        }
        return Html.tag("div", Html.tag("table", Html.tag("thead", head), body)).css("scroll matrix");
    }
}
