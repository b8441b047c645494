package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.Grader.Grade;
import io.peft4j.data.grader.GraderObject;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.GraderType;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code multi}: a formula of the scores of several graders, which are its parts. */
@Internal
public final class Multi implements GraderType {
    @Override
    public String name() {
        return "multi";
    }

    @Override
    public Grader read(GraderObject object, GraderTools tools) {
        Map<String, Grader> graders = object.graders("graders", tools);
        String formula = object.text("calculate_output");
        try {
            return new Combined(graders, new Formula(formula, graders.keySet()));
        } catch (ConfigurationException e) {
            throw object.wrong("has \"calculate_output\": " + e.getMessage());
        }
    }

    private record Combined(Map<String, Grader> graders, Formula formula) implements Grader {
        @Override
        public double grade(Map<String, Object> item, String answer) {
            return inParts(item, answer).reward();
        }

        @Override
        public Grade inParts(Map<String, Object> item, String answer) {
            Map<String, Double> parts = new LinkedHashMap<>();
            graders.forEach((name, grader) -> parts.put(name, grader.grade(item, answer)));
            return new Grade(formula.value(parts), parts);
        }
    }
}
