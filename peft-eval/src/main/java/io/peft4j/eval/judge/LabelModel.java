package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.GraderObject;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.GraderType;
import java.util.List;
import java.util.Map;

/** {@code label_model}: 1 where a model gives one of the labels that pass, else 0. */
@Internal
public final class LabelModel implements GraderType {
    @Override
    public String name() {
        return "label_model";
    }

    @Override
    public Grader read(GraderObject object, GraderTools tools) {
        List<String> labels = object.texts("labels");
        List<String> passing = object.texts("passing_labels");
        if (!labels.containsAll(passing)) {
            throw object.wrong("lets the labels " + passing + " pass, but its labels are " + labels);
        }
        ModelGrader model = ModelGrader.read(object, Map.of("type", "string", "enum", labels), tools);
        return (item, answer) -> {
            String label = model.ask(item, answer).asText();
            if (!labels.contains(label)) {
                throw new ConfigurationException("the model '" + model.model() + "' gives the label '" + label
                        + "'; the labels are " + labels);
            }
            return passing.contains(label) ? 1 : 0;
        };
    }
}
