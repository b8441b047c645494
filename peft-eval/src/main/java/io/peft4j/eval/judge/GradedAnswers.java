package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.data.grader.Grading;
import io.peft4j.eval.task.EvaluationItem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** What a grader says of answers: {@code reward}. An answer without a grade has no score and is counted. */
@Internal
public final class GradedAnswers {
    /** The name of the metric. */
    public static final String METRIC = "reward";

    private final Grading grading;
    private final List<EvaluationItem> items;
    private final List<String> troubles = new ArrayList<>();
    private int scored;

    /** Grades answers to these items. */
    public GradedAnswers(Grading grading, List<EvaluationItem> items) {
        this.grading = grading;
        this.items = items;
    }

    /** The reward of each answer. */
    public List<OptionalDouble> of(List<String> answers) {
        List<Grading.Answer> asked = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            asked.add(new Grading.Answer("item " + (i + 1), fields(items.get(i)), answers.get(i)));
        }
        return grading.grade(asked).stream().map(outcome -> {
            outcome.trouble().ifPresent(troubles::add);
            scored += outcome.grade().isPresent() ? 1 : 0;
            return outcome.grade().map(grade -> OptionalDouble.of(grade.reward())).orElse(OptionalDouble.empty());
        }).toList();
    }

    /** The row, or what an item that was made in a program says. */
    private static Map<String, Object> fields(EvaluationItem item) {
        if (!item.fields().isEmpty()) {
            return item.fields();
        }
        Map<String, Object> fields = new LinkedHashMap<>(Map.of("question", item.question()));
        if (!item.references().isEmpty()) {
            fields.put("reference", item.references().get(0));
        }
        return fields;
    }

    /** What was graded so far, and what failed. */
    public JudgeReport report() {
        return new JudgeReport("grader", List.of(new JudgeReport.Count(METRIC, scored, troubles.size(), 0, 0)),
                troubles);
    }
}
