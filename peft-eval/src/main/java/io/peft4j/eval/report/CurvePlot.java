package io.peft4j.eval.report;

import io.peft4j.eval.statistics.LearningCurve.Prediction;
import io.peft4j.eval.study.TrainingStudy;
import io.peft4j.eval.study.TrainingStudy.Curve;
import java.util.Locale;

/** A learning curve with its prediction interval and the trainings it comes from, as an inline SVG. */
final class CurvePlot {
    private static final int WIDTH = 560;
    private static final int HEIGHT = 280;
    private static final int LEFT = 60;
    private static final int RIGHT = 20;
    private static final int TOP = 16;
    private static final int BOTTOM = 44;
    private static final int STEPS = 60;
    /** Numbers on the axis that would come closer are left out. */
    private static final int LEAST_GAP = 36;

    private final TrainingStudy study;
    private final Curve curve;
    private final double first;
    private final double last;

    CurvePlot(TrainingStudy study, Curve curve) {
        this.study = study;
        this.curve = curve;
        this.first = study.points().get(0).examples();
        this.last = curve.examples() + TrainingStudy.MORE;
    }

    private double x(double examples) {
        return LEFT + (examples - first) / (last - first) * (WIDTH - LEFT - RIGHT);
    }

    private static double y(double score) {
        return TOP + (1 - score) * (HEIGHT - TOP - BOTTOM);
    }

    String svg() {
        StringBuilder svg = new StringBuilder(String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" role=\"img\" "
                + "aria-label=\"Learning curve\">%n", WIDTH, HEIGHT));
        for (int tick = 0; tick <= 4; tick++) {
            double at = y(tick / 4.0);
            svg.append(String.format(Locale.ROOT, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                    + "<text class=\"tick left\" x=\"%d\" y=\"%.1f\">%d %%</text>%n", LEFT, WIDTH - RIGHT, at, at,
                    LEFT - 8, at + 5, 25 * tick));
        }
        StringBuilder line = new StringBuilder();
        StringBuilder upper = new StringBuilder();
        StringBuilder lower = new StringBuilder();
        for (int i = 0; i <= STEPS; i++) {
            double examples = first + (last - first) * i / STEPS;
            Prediction here = curve.fit().at(examples, 0.95);
            line.append(point(examples, here.score()));
            upper.append(point(examples, here.interval().high()));
            lower.insert(0, point(examples, here.interval().low()));
        }
        svg.append("<polygon class=\"band\" points=\"").append(upper).append(lower).append("\"/>\n<polyline "
                + "class=\"curve\" points=\"").append(line).append("\"/>\n");
        study.points().forEach(point -> dot(svg, "dot open", point.examples(), point.score(), point.name()));
        dot(svg, "dot ahead", last, curve.more().score(), TrainingStudy.MORE + " more examples");
        tick(svg, (int) last);
        double before = x(last);
        for (int i = study.points().size() - 1; i >= 0; i--) {
            int examples = study.points().get(i).examples();
            if (before - x(examples) >= LEAST_GAP) {
                tick(svg, examples);
                before = x(examples);
            }
        }
        return svg.append(String.format(Locale.ROOT, "<text class=\"tick\" x=\"%d\" y=\"%d\">training examples</text>%n"
                + "</svg>%n", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4)).toString();
    }

    private String point(double examples, double score) {
        return String.format(Locale.ROOT, "%.1f,%.1f ", x(examples), y(score));
    }

    private void dot(StringBuilder svg, String kind, double examples, double score, String title) {
        svg.append(String.format(Locale.ROOT, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>%s: %.1f "
                + "%%</title></circle>%n", kind, x(examples), y(score), HtmlReport.escape(title), 100 * score));
    }

    private void tick(StringBuilder svg, int examples) {
        svg.append(String.format(Locale.ROOT, "<text class=\"tick\" x=\"%.1f\" y=\"%d\">%d</text>%n", x(examples),
                HEIGHT - BOTTOM + 20, examples));
    }
}
