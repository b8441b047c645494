package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.QuestionAnswerer;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.HeadRows;
import java.util.List;

/** What a model with a head says to rows, a JSON object each. */
final class HeadScores {
    private final Model model;
    private final Task task;

    HeadScores(Model model) {
        this.model = model;
        this.task = model.network().task();
    }

    void print(DataFile data, Console console) {
        List<TokenSequence> rows = new HeadRows(model).read(data);
        outputs(rows).forEach(output -> console.print(row(output)));
    }

    private List<float[]> outputs(List<TokenSequence> rows) {
        return switch (task.type()) {
            case SEQ_CLS -> new TextClassifier(model).logitsOf(rows);
            case TOKEN_CLS -> new TokenTagger(model).logitsOf(rows);
            case QUESTION_ANS -> new QuestionAnswerer(model).logitsOf(rows);
            default -> throw new ConfigurationException(model.network().description().name() + " makes vectors of "
                    + "texts and scores nothing; use peft4j embed");
        };
    }

    private ObjectNode row(float[] output) {
        ObjectNode row = Json.MAPPER.createObjectNode();
        switch (task.type()) {
            case SEQ_CLS -> {
                put(row.putArray("logits"), output, 0, output.length);
                if (task.problem() == Task.Problem.SINGLE_LABEL) {
                    row.put("label", task.labels().get(best(output)));
                }
            }
            case TOKEN_CLS -> {
                ArrayNode tokens = row.putArray("logits");
                int columns = task.labels().size();
                for (int from = 0; from < output.length; from += columns) {
                    put(tokens.addArray(), output, from, columns);
                }
            }
            default -> {
                ArrayNode starts = row.putArray("start_logits");
                ArrayNode ends = row.putArray("end_logits");
                for (int i = 0; i < output.length; i += 2) {
                    starts.add(output[i]);
                    ends.add(output[i + 1]);
                }
            }
        }
        return row;
    }

    private static void put(ArrayNode array, float[] values, int from, int count) {
        for (int i = from; i < from + count; i++) {
            array.add(values[i]);
        }
    }

    private static int best(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
