package io.peft4j.eval.head;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.data.task.DecisionRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A question of a row with what a model says and what is right.
 *
 * @param row the number of the row, from 0
 * @param name the name of the question
 * @param state what is asked about
 * @param question the question
 * @param logits of its options, to which nothing was fitted
 * @param gold the probabilities of its options
 */
@Internal(shared = true)
public record Prediction(int row, String name, JsonNode state, DecisionQuestion question, double[] logits,
        double[] gold) {
    private static final int ROWS = 32;

    /** All questions of rows for which it is known what is right. */
    public static List<Prediction> of(LanguageModel model, List<DecisionRow> rows) {
        return of(new DecisionModel(model), rows);
    }

    /** As the other, of a model that is asked in a given way. */
    public static List<Prediction> of(DecisionModel decisions, List<DecisionRow> rows) {
        List<Prediction> all = new ArrayList<>();
        for (int from = 0; from < rows.size(); from += ROWS) {
            List<DecisionRow> some = rows.subList(from, Math.min(rows.size(), from + ROWS));
            List<double[]> logits = decisions.logits(some.stream().map(DecisionRow::request).toList());
            int at = 0;
            for (int i = 0; i < some.size(); i++) {
                DecisionRequest request = some.get(i).request();
                for (Map.Entry<String, DecisionQuestion> asked : request.questions().entrySet()) {
                    double[] said = logits.get(at++);
                    List<Double> gold = some.get(i).gold().get(asked.getKey());
                    if (gold != null) {
                        all.add(new Prediction(from + i, asked.getKey(), request.state(), asked.getValue(), said,
                                gold.stream().mapToDouble(Double::doubleValue).toArray()));
                    }
                }
            }
        }
        return all;
    }

    /** The number of the right option, the likeliest where that is not certain. */
    public int right() {
        return best(gold);
    }

    /** The number of the largest value, the first of several. */
    public static int best(double... values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
