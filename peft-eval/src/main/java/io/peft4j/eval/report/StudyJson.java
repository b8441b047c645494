package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.eval.statistics.Spread;
import io.peft4j.eval.study.TrainingStudy.Curve;
import io.peft4j.eval.study.TrainingStudy;
import java.util.List;

/** A study's form for machines. */
final class StudyJson {
    private StudyJson() {
    }

    static ObjectNode of(TrainingStudy study) {
        ObjectNode node = new ObjectMapper().createObjectNode().put("metric", study.metric());
        points(node.putArray("points"), study.points());
        study.curve().ifPresent(curve -> curve(node.putObject("curve"), curve));
        points(node.putArray("seeds"), study.seeds());
        study.spread().ifPresent(spread -> spread(node.putObject("spread"), spread));
        return node;
    }

    private static void points(ArrayNode node, List<TrainingStudy.Point> points) {
        points.forEach(point -> node.addObject().put("name", point.name()).put("examples", point.examples())
                .put("score", point.score()));
    }

    private static void curve(ObjectNode node, Curve curve) {
        node.put("exponent", curve.exponent()).put("examples", curve.examples()).put("score", curve.now().score());
        node.putObject("with_more").put("examples", curve.examples() + TrainingStudy.MORE)
                .put("score", curve.more().score()).put("ci_low", curve.more().interval().low())
                .put("ci_high", curve.more().interval().high()).put("gain", curve.gain())
                .put("gain_low", curve.gainInterval().low()).put("gain_high", curve.gainInterval().high());
    }

    private static void spread(ObjectNode node, Spread spread) {
        node.put("count", spread.count()).put("mean", spread.mean())
                .put("standard_deviation", spread.standardDeviation()).put("min", spread.min())
                .put("max", spread.max()).put("ci_low", spread.interval(0.95).low())
                .put("ci_high", spread.interval(0.95).high());
    }
}
