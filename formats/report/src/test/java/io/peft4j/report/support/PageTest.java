package io.peft4j.report.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PageTest {
    private static final String ATTACK = "</style><script>alert(1)</script>";

    /** A page of every part that there is, with this text wherever a text can stand. */
    private static String page(String text) {
        List<CurvePlot.Point> curve = List.of(new CurvePlot.Point(1, 0.2, 0.1, 0.3),
                new CurvePlot.Point(9, 0.4, 0.3, 0.5));
        return Page.titled(text)
                .add(Blocks.banner(Status.GOOD, text, text, Blocks.points(Status.BAD, text, List.of(text)),
                        Blocks.facts(Map.of(text, text))))
                .add(Blocks.card(text, Blocks.note(text), Blocks.toned(Status.OPEN, text),
                        Blocks.sides(Blocks.side(Status.BAD, text, text)), Table.of(text, "n").row(text, 1).html(),
                        Table.of("n", text).texts(1).row(1, text).html(),
                        IntervalPlot.titled(text).row(text, -1, 0, 1).html(), BarPlot.titled(text).bar(text, 3).html(),
                        HistogramPlot.of(text, List.of(1, 2), 5),
                        CurvePlot.of(text, text, curve).measured(1, 0.2, text).html(),
                        LinePlot.of(text, text).line(0, text, new double[] {1, 2}, new double[] {3, 4})
                                .line(9, text, new double[] {1, 2}, new double[] {3, 1e4}).html()))
                .html();
    }

    private static List<String> found(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
    }

    @Test
    void textIsEscapedEverywhere() {
        String page = page(ATTACK);
        assertFalse(page.contains("<script"), page);
        assertEquals(1, found("</style>", page).size(), "the one of the page itself");
        assertEquals(page(ATTACK), page, "the same page again");
    }

    @Test
    void aPageLoadsNothing() {
        String page = page("text");
        assertTrue(page.startsWith("<!DOCTYPE html>\n") && page.endsWith("</html>\n"), page);
        assertTrue(page.contains("default-src 'none'"), "a browser is told to load and run nothing");
        for (String reference : List.of("http:", "https:", "url(", "@import", " src=", "<link", "<script")) {
            assertFalse(page.contains(reference), reference);
        }
    }

    @Test
    void elementsAreClosedInOrder() {
        String page = page("a < b");
        String body = page.substring(page.indexOf("<main>"), page.indexOf("</body>"));
        Deque<String> open = new ArrayDeque<>();
        Matcher tags = Pattern.compile("<(/?)([a-z0-9]+)[^>]*>").matcher(body);
        while (tags.find()) {
            if (tags.group(1).isEmpty()) {
                open.push(tags.group(2));
            } else {
                assertEquals(open.pop(), tags.group(2), "at " + tags.start());
            }
        }
        assertTrue(open.isEmpty(), open.toString());
    }

    @Test
    void pagesFitPhonesAndDarkScreens() {
        String page = page("text");
        assertTrue(page.contains("width=device-width"));
        assertTrue(page.contains("prefers-color-scheme: dark") && page.contains("max-width: 620px"));
        assertTrue(page.contains("class=\"scroll\""), "a table of figures scrolls in its card");
        assertTrue(page.contains("data-label=\"text\""), "a table of text shows its rows as blocks");
    }

    @Test
    void intervalsAreColouredByTheirSideOfZero() {
        String plot = IntervalPlot.titled("t").row("up", 1, 2, 3).row("down", -3, -2, -1).row("open", -1, 0, 1).html()
                .toString();
        assertEquals(List.of("dot good", "dot bad", "dot open"), found("dot [a-z]+", plot));
        assertTrue(plot.contains("up: +2.0 [+1.0, +3.0]"), plot);
        assertTrue(plot.contains(">0</text>"), "zero is marked");
    }

    @Test
    void barLengthsFollowTheCounts() {
        String plot = BarPlot.titled("t").bar("a", 1000).bar("b", 250).bar("none", 0).html().toString();
        assertEquals(List.of("width=\"100.00%\"", "width=\"25.00%\"", "width=\"0.00%\""),
                found("(?<=<rect )width=\"[^\"]+\"", plot));
        assertTrue(plot.contains("1,000"), plot);
    }

    @Test
    void rowsAndCurvesOfTheWrongSizeAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Table.of("a", "b").row("one"));
        assertThrows(IllegalArgumentException.class, () -> CurvePlot.of("t", "x",
                List.of(new CurvePlot.Point(1, 1, 1, 1))));
    }
}
