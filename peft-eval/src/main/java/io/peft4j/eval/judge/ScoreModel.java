package io.peft4j.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.GraderObject;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.GraderType;
import java.util.List;
import java.util.Map;

/** {@code score_model}: the number that a model gives, within a range; default 0 to 1. */
@Internal
public final class ScoreModel implements GraderType {
    @Override
    public String name() {
        return "score_model";
    }

    @Override
    public Grader read(GraderObject object, GraderTools tools) {
        List<Double> range = object.numbers("range", List.of(0.0, 1.0));
        object.ignore("pass_threshold");
        ModelGrader model = ModelGrader.read(object, Map.of("type", "number"), tools);
        return (item, answer) -> {
            JsonNode score = model.ask(item, answer);
            if (!score.isNumber() || score.asDouble() < range.get(0) || score.asDouble() > range.get(1)) {
                throw new ConfigurationException("the model '" + model.model() + "' gives the score " + score
                        + "; the range is " + range);
            }
            return score.asDouble();
        };
    }
}
