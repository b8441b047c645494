package io.peft4j.eval.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.report.TrainingStudy.Curve;
import io.peft4j.eval.report.TrainingStudy.Point;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What trainings of several sizes and seeds say. */
class TrainingStudyTest {
    private static Point point(int examples) {
        return new Point(examples + " examples", examples, 1 - 2 * Math.pow(examples, -0.5));
    }

    @Test
    void theCurvePredictsTheGainOfMoreExamples() {
        TrainingStudy study = TrainingStudy.of("contains", List.of(point(160), point(40), point(80)), List.of());
        Curve curve = study.curve().orElseThrow();
        assertEquals(List.of(40, 80, 160), study.points().stream().map(Point::examples).toList());
        assertEquals(0.5, curve.exponent(), 1e-9, "the planted power law");
        assertEquals(point(260).score() - point(160).score(), curve.gain(), 1e-9);
        assertTrue(curve.gainInterval().contains(curve.gain()));
        assertTrue(study.spread().isEmpty());
    }

    @Test
    void seedsAreSpread() {
        TrainingStudy study = TrainingStudy.of("contains", List.of(), List.of(new Point("tuned", 0, 0.8),
                new Point("seed 1", 0, 0.9), new Point("seed 2", 0, 0.7)));
        assertEquals(0.8, study.spread().orElseThrow().mean(), 1e-12);
        assertEquals(0.1, study.spread().orElseThrow().standardDeviation(), 1e-12);
    }

    @Test
    void tooFewTrainingsGiveNoCurve() {
        assertThrows(ConfigurationException.class,
                () -> TrainingStudy.of("contains", List.of(point(40), point(80), point(80)), List.of()));
        assertThrows(ConfigurationException.class,
                () -> TrainingStudy.of("contains", List.of(), List.of(point(40))));
        assertThrows(ConfigurationException.class, () -> TrainingStudy.of("contains", List.of(), List.of()));
        assertThrows(ConfigurationException.class, () -> new Point("x", 5, Double.NaN));
    }
}
