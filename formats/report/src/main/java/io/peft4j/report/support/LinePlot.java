package io.peft4j.report.support;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Lines over a common axis, such as the losses of trainings by step. The vertical axis is logarithmic where a few
 * values are so large that the others would lie on the ground. Long lines are thinned ({@link Downsampling}); where
 * lines are several, a legend names them.
 */
public final class LinePlot {
    /** Colours that the style sheet has; lines after those are dashed and begin again. */
    private static final int COLOURS = 8;
    private static final int HEIGHT = 250;
    private static final int TOP = 10;
    private static final int BOTTOM = 44;
    private static final int INSIDE = HEIGHT - TOP - BOTTOM;
    /** About so many numbers fit below the axis on a phone. */
    private static final int X_TICKS = 5;
    /** A line of so few points shows each of them. */
    private static final int MOST_DOTS = 24;
    /** The largest value is so many times the middle one where the axis is logarithmic. */
    private static final double SKEWED = 30;
    /** What is larger cannot be drawn: differences would be no numbers. */
    private static final double LARGEST = 1e100;

    private record Line(int number, String name, double[] x, double[] y) {
        String css(String kind) {
            return kind + " " + colour(number);
        }
    }

    private final String title;
    private final String axis;
    private final List<Line> lines = new ArrayList<>();
    private AxisScale across;
    private AxisScale up;

    private LinePlot(String title, String axis) {
        this.title = title;
        this.axis = axis;
    }

    /**
     * A plot without lines.
     *
     * @param title what it is called where it cannot be seen
     * @param axis what the horizontal axis counts
     */
    public static LinePlot of(String title, String axis) {
        return new LinePlot(title, axis);
    }

    /**
     * Adds a line. Values that are no numbers, or too large to draw, are left out; a line without any other is in the
     * legend only.
     *
     * @param number which colour it has, the same in all plots of a page, from 0
     * @param name what it is
     * @param x where its points are, from left to right
     * @param y their values
     * @throws IllegalArgumentException when these are not equally many
     */
    public LinePlot line(int number, String name, double[] x, double[] y) {
        if (x.length != y.length) {
            throw new IllegalArgumentException(x.length + " places for " + y.length + " values");
        }
        int[] drawn = IntStream.range(0, x.length)
                .filter(i -> Math.abs(x[i]) <= LARGEST && Math.abs(y[i]) <= LARGEST).toArray();
        lines.add(new Line(number, name, Arrays.stream(drawn).mapToDouble(i -> x[i]).toArray(),
                Arrays.stream(drawn).mapToDouble(i -> y[i]).toArray()));
        return this;
    }

    /** Colours and names of lines. */
    public static final class Legend {
        private final Html list = Html.tag("ul").css("legend");

        /** An empty one. */
        public Legend() {
        }

        /** Adds a line. */
        public Legend line(int number, String name) {
            list.add(Html.tag("li", key(number), name));
            return this;
        }

        /** The legend. */
        public Html html() {
            return list;
        }
    }

    /** The colour of a line, for where it is spoken of. */
    public static Html key(int number) {
        return Html.tag("span").css("key " + colour(number));
    }

    private static String colour(int number) {
        return "c" + number % COLOURS + (number / COLOURS % 2 == 1 ? " dashed" : "");
    }

    /** The plot; says so if there is nothing to draw. */
    public Html html() {
        double[] values = lines.stream().flatMapToDouble(line -> DoubleStream.of(line.y())).sorted().toArray();
        if (values.length == 0) {
            return Blocks.note("nothing to draw yet");
        }
        double[] places = lines.stream().flatMapToDouble(line -> DoubleStream.of(line.x())).sorted().toArray();
        across = AxisScale.exact(places[0], places[places.length - 1], X_TICKS);
        up = values[0] > 1 / LARGEST && values[values.length - 1] > SKEWED * values[values.length / 2]
                ? AxisScale.logarithmic(values[0], values[values.length - 1])
                : AxisScale.rounded(values[0], values[values.length - 1]);
        Html plot = Html.tag("div", numbers(), drawing()).css("curve").with("role", "figure").with("aria-label", title);
        return Html.all(lines.size() > 1 ? legend() : Html.all(), plot,
                up.isLogarithmic() ? Blocks.note("logarithmic scale") : Html.all());
    }

    private Html legend() {
        Legend legend = new Legend();
        lines.forEach(line -> legend.line(line.number(), line.name()));
        return legend.html();
    }

    private Html numbers() {
        Html scale = Html.tag("svg").with("width", "100%").with("height", HEIGHT);
        for (double tick : up.ticks()) {
            scale.add(Html.tag("text", up.text(tick)).css("tick last").with("x", "100%").with("y", y(tick) + 4));
        }
        return scale;
    }

    private Html drawing() {
        Html plot = Svg.fill(HEIGHT);
        for (double tick : up.ticks()) {
            plot.add(Svg.line("0%", y(tick), "100%", y(tick)).css("grid"));
        }
        for (double tick : across.ticks()) {
            plot.add(Html.tag("text", across.text(tick)).css("tick").with("x", Svg.percent(across.share(tick)))
                    .with("y", HEIGHT - BOTTOM + 18));
        }
        Html stretched = Svg.fill(HEIGHT).with("viewBox", "0 0 1000 " + HEIGHT).with("preserveAspectRatio", "none");
        Html dots = Html.all();
        for (Line line : lines) {
            if (line.x().length <= MOST_DOTS) {
                stretched.add(polyline(line.x(), line.y(), line.css("series")));
                dots.add(dots(line));
            } else {
                Downsampling thinned = Downsampling.of(line.x(), line.y());
                stretched.add(polyline(thinned.x(), thinned.y(),
                        line.css(thinned.isThinner() ? "series thin" : "series")));
                if (thinned.isThinner()) {
                    stretched.add(polyline(thinned.middleX(), thinned.middleY(), line.css("series")));
                }
            }
        }
        return plot.add(stretched, dots,
                Html.tag("text", axis).css("tick").with("x", "50%").with("y", HEIGHT - 6));
    }

    private Html dots(Line line) {
        Html dots = Html.all();
        for (int i = 0; i < line.x().length; i++) {
            dots.add(Svg.point(Svg.percent(across.share(line.x()[i])), y(line.y()[i]), line.name() + ", " + axis + " "
                    + across.text(line.x()[i]) + ": " + Numbers.shown(line.y()[i])).css(line.css("series")));
        }
        return dots;
    }

    private Html polyline(double[] x, double[] y, String css) {
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < x.length; i++) {
            points.append(String.format(Locale.ROOT, "%.1f,%.1f ", 1000 * across.share(x[i]), y(y[i])));
        }
        return Html.tag("polyline").css(css).with("points", points);
    }

    private double y(double value) {
        return TOP + (1 - up.share(value)) * INSIDE;
    }

    /**
     * An axis: from where to where it goes, and the round numbers that stand beside it.
     *
     * @param least its beginning
     * @param most its end
     * @param isLogarithmic whether equal factors are equally far apart, rather than equal differences
     * @param step the distance of its numbers, which says how many digits they need
     * @param ticks its numbers
     */
    private record AxisScale(double least, double most, boolean isLogarithmic, double step, List<Double> ticks) {
        private static final int INTERVALS = 5;
        private static final int MOST_TICKS = 7;
        private static final double[] ROUND = {1, 2, 5, 10};

        /** An axis that ends at round numbers. */
        static AxisScale rounded(double least, double most) {
            double margin = margin(least, most);
            double step = step((most - least + 2 * margin) / INTERVALS);
            double from = Math.floor((least - margin) / step);
            double to = Math.ceil((most + margin) / step);
            return new AxisScale(from * step, to * step, false, step, multiples(step, from, to));
        }

        /** An axis that ends where the values do. */
        static AxisScale exact(double least, double most, int intervals) {
            double margin = margin(least, most);
            // What is counted has no halves.
            double step = Math.max(1, step((most - least + 2 * margin) / intervals));
            return new AxisScale(least - margin, most + margin, false, step,
                    multiples(step, Math.ceil(least / step), Math.floor(most / step)));
        }

        /** An axis of powers for positive values. */
        static AxisScale logarithmic(double least, double most) {
            List<Double> ticks = new ArrayList<>();
            int from = (int) Math.floor(Math.log10(least));
            int to = (int) Math.ceil(Math.log10(most));
            int each = Math.max(1, (to - from) / INTERVALS);
            for (int power = from; power <= to; power += each) {
                ticks.add(Math.pow(10, power));
            }
            double end = Math.max(most, ticks.get(ticks.size() - 1));
            return new AxisScale(Math.pow(10, from), end, true, ticks.get(0), ticks);
        }

        /** What is added on both sides where all values are the same, or differ by rounding only. */
        private static double margin(double least, double most) {
            double size = Math.max(Math.abs(least), Math.abs(most));
            return most - least > 1e-9 * size ? 0 : size == 0 ? 1 : size / 10;
        }

        /** The round number that is not below a distance. */
        private static double step(double distance) {
            double power = Math.pow(10, Math.floor(Math.log10(distance)));
            return power * DoubleStream.of(ROUND).filter(round -> round * power >= distance * (1 - 1e-9)).findFirst()
                    .orElse(10);
        }

        private static List<Double> multiples(double step, double from, double to) {
            List<Double> ticks = new ArrayList<>();
            for (int i = 0; i <= Math.min(to - from, MOST_TICKS); i++) {
                ticks.add((from + i) * step);
            }
            return ticks;
        }

        /** Where a value lies: 0 at the beginning, 1 at the end. */
        double share(double value) {
            return isLogarithmic ? (Math.log(value) - Math.log(least)) / (Math.log(most) - Math.log(least))
                    : (value - least) / (most - least);
        }

        /** A number beside the axis. */
        String text(double value) {
            return isLogarithmic ? Numbers.shown(value) : Numbers.rounded(value, step);
        }
    }

    /**
     * A line with so few points that a page stays small and a browser quick. The axis is cut into {@value #PARTS}
     * parts; of each the least and the greatest value stay, so that a spike of a single point is seen, and the mean
     * shows where the line runs. The first and the last point stay, too.
     *
     * @param isThinner whether points were left out
     * @param x where the points that stay are
     * @param y their values
     * @param middleX the middle of each part that has points; empty where none were left out
     * @param middleY the mean there
     */
    record Downsampling(boolean isThinner, double[] x, double[] y, double[] middleX, double[] middleY) {
        static final int PARTS = 300;

        /** Thins a line whose points are ordered from left to right. */
        static Downsampling of(double[] x, double[] y) {
            int count = x.length;
            if (count <= 2 * PARTS) {
                return new Downsampling(false, x, y, new double[0], new double[0]);
            }
            Builder builder = new Builder(x, y);
            int from = 0;
            for (int part = 0; part < PARTS; part++) {
                double end = x[0] + (x[count - 1] - x[0]) * (part + 1) / PARTS;
                int to = from;
                while (to < count && (x[to] < end || part == PARTS - 1)) {
                    to++;
                }
                builder.addPart(from, to);
                from = to;
            }
            return builder.build();
        }

        /** Collects the points that stay. */
        private static final class Builder {
            private final double[] x;
            private final double[] y;
            private final boolean[] stays;
            private final double[] middleX = new double[PARTS];
            private final double[] middleY = new double[PARTS];
            private int parts;

            Builder(double[] x, double[] y) {
                this.x = x;
                this.y = y;
                stays = new boolean[x.length];
                stays[0] = true;
                stays[x.length - 1] = true;
            }

            void addPart(int from, int to) {
                if (from == to) {
                    return;
                }
                int least = from;
                int greatest = from;
                for (int i = from; i < to; i++) {
                    least = y[i] < y[least] ? i : least;
                    greatest = y[i] > y[greatest] ? i : greatest;
                }
                stays[least] = true;
                stays[greatest] = true;
                middleX[parts] = (x[from] + x[to - 1]) / 2;
                middleY[parts] = Arrays.stream(y, from, to).average().orElseThrow();
                parts++;
            }

            Downsampling build() {
                int[] kept = IntStream.range(0, x.length).filter(i -> stays[i]).toArray();
                return new Downsampling(true, Arrays.stream(kept).mapToDouble(i -> x[i]).toArray(),
                        Arrays.stream(kept).mapToDouble(i -> y[i]).toArray(), Arrays.copyOf(middleX, parts),
                        Arrays.copyOf(middleY, parts));
            }
        }
    }
}
