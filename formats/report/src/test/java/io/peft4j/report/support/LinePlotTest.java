package io.peft4j.report.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.report.support.LinePlot.Downsampling;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinePlotTest {
    private static List<String> found(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
    }

    private static double[] upTo(int count) {
        return IntStream.range(0, count).asDoubleStream().toArray();
    }

    private static String plot(double[] y) {
        return LinePlot.of("t", "step").line(0, "loss", upTo(y.length), y).html().toString();
    }

    @Test
    void pointsLieWhereTheirValuesAre() {
        String plot = plot(new double[] {0, 10, 5});
        assertEquals(List.of("0.0,206.0 500.0,10.0 1000.0,108.0 "),
                found("(?<=points=\")[^\"]+", plot), "from the bottom at 206 to the top at 10");
        assertEquals(List.of("0", "2", "4", "6", "8", "10"), found("(?<=y=\"[0-9.]{1,6}\">)[0-9]+(?=</text>)", plot)
                .subList(0, 6));
        assertTrue(plot.contains("loss, step 1: 10"), "a dot says its value");
    }

    @Test
    void aSpikeOfOnePointSurvivesThinning() {
        double[] y = new double[100_000];
        Arrays.setAll(y, i -> 1 + i % 7 / 100.0);
        y[66_666] = 9;
        y[33_333] = -4;
        Downsampling thinned = Downsampling.of(upTo(y.length), y);
        assertTrue(thinned.x().length <= 2 * Downsampling.PARTS + 2, "points: " + thinned.x().length);
        assertEquals(1, Arrays.stream(thinned.y()).filter(value -> value == 9).count());
        assertEquals(-4, Arrays.stream(thinned.y()).min().orElseThrow());
        assertEquals(0, thinned.x()[0]);
        assertEquals(99_999, thinned.x()[thinned.x().length - 1]);
        assertTrue(IntStream.range(1, thinned.x().length).allMatch(i -> thinned.x()[i - 1] < thinned.x()[i]));
        assertEquals(Downsampling.PARTS, thinned.middleY().length);
        assertEquals(1.03, thinned.middleY()[0], 1e-3, "the mean of 1.00 to 1.06");
        String plot = plot(y);
        assertTrue(plot.length() < 40_000, "characters: " + plot.length());
        assertEquals(List.of("series thin c0", "series c0"), found("series[a-z0-9 ]*", plot));
    }

    @Test
    void shortLinesStayWhole() {
        double[] y = upTo(2 * Downsampling.PARTS);
        assertEquals(y.length, Downsampling.of(upTo(y.length), y).x().length);
        assertFalse(Downsampling.of(upTo(y.length), y).isThinner());
    }

    @Test
    void aFewHugeValuesMakeTheScaleLogarithmic() {
        double[] y = new double[50];
        Arrays.fill(y, 0.5);
        assertFalse(plot(y).contains("logarithmic"));
        y[20] = 400;
        String plot = plot(y);
        assertTrue(plot.contains("logarithmic scale"));
        assertTrue(plot.contains(">0.1</text>") && plot.contains(">1,000</text>"), plot);
        y[21] = 0;
        assertFalse(plot(y).contains("logarithmic"), "0 has no logarithm");
    }

    @Test
    void whatIsNoNumberIsNotDrawn() {
        String plot = plot(new double[] {1, Double.NaN, 3, Double.POSITIVE_INFINITY, 1e300, -1e300});
        assertEquals(2, found("<circle", plot).size());
        assertEquals("<p class=\"note\">nothing to draw yet</p>", plot(new double[] {Double.NaN}));
        assertEquals("<p class=\"note\">nothing to draw yet</p>", plot(new double[0]));
    }

    @ParameterizedTest
    @CsvSource({"1,1", "0,0", "1e-320,2e-320", "1e-99,1e99", "-1e100,1e100", "5,5.0000000000000009", "0.1,0.3"})
    void everyRangeHasAScale(double low, double high) {
        String plot = plot(new double[] {low, high, low});
        assertFalse(plot.contains("NaN") || plot.contains("Infinity"), plot);
        for (String y : found("(?<=[0-9],)[-0-9.]+(?= )", plot)) {
            assertTrue(Double.parseDouble(y) >= 9.9 && Double.parseDouble(y) <= 206.1, plot);
        }
    }

    @Test
    void linesHaveColoursAndALegendWhereTheyAreSeveral() {
        LinePlot plot = LinePlot.of("t", "step");
        for (int i = 0; i < 10; i++) {
            plot.line(i, "run-" + i, upTo(3), upTo(3));
        }
        String html = plot.html().toString();
        assertTrue(html.contains("<li><span class=\"key c7\"></span>run-7</li>"), html);
        assertTrue(html.contains("<li><span class=\"key c0 dashed\"></span>run-8</li>"), html);
        assertFalse(plot(upTo(3)).contains("legend"));
    }

    @Test
    void placesAndValuesMustBeEquallyMany() {
        assertThrows(IllegalArgumentException.class, () -> LinePlot.of("t", "x").line(0, "l", upTo(2), upTo(3)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"0|0", "0.51339|0.5134", "2.61|2.61", "851.93|851.9", "123456.7|123,457",
        "0.00002|2e-5", "-0.00012345|-1.234e-4", "1.5e9|1.5e9", "NaN|NaN", "9999.96|10,000", "1000|1,000"})
    void numbersAreShort(double value, String text) {
        assertEquals(text, Numbers.shown(value));
    }
}
