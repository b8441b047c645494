package io.peft4j.eval.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.model.TaskIds;
import io.peft4j.eval.task.EvaluationItem;
import java.util.ArrayList;
import java.util.List;

/**
 * Failures as files to work on: a skeleton of the examples to collect, and pairs for preference training. Held-out
 * questions themselves must not be trained on and then measured again: the skeleton shows them beside empty messages.
 */
@Internal(shared = true)
public final class FailureFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private FailureFiles() {
    }

    /**
     * Lines {@code {"like", "expected", "messages": [user, assistant]}} with empty messages to fill in, as many for
     * each failure as its group asks for.
     */
    public static List<String> skeleton(FailureReport failures, List<EvaluationItem> items) {
        List<String> lines = new ArrayList<>();
        for (FailureReport.FailureGroup group : failures.groups()) {
            for (int k = 0; k < group.examplesToCollect(); k++) {
                EvaluationItem item = items.get(group.items().get(k % group.items().size()));
                ObjectNode row = JSON.createObjectNode().put("like", item.question()).put("expected", item.expected());
                ArrayNode messages = row.putArray("messages");
                messages.addObject().put("role", "user").put("content", "");
                messages.addObject().put("role", "assistant").put("content", "");
                lines.add(row.toString());
            }
        }
        return lines;
    }

    /**
     * Lines {@code {"input": {"messages"}, "preferred_output", "non_preferred_output"}} in OpenAI's form, one for each
     * failure that has a reference and another answer.
     */
    public static List<String> preferencePairs(FailureReport failures, List<EvaluationItem> items,
            List<String> answers) {
        List<String> lines = new ArrayList<>();
        for (int i : failures.wrong()) {
            EvaluationItem item = items.get(i);
            if (item.references().isEmpty() || item.references().get(0).equals(answers.get(i))) {
                continue;
            }
            ObjectNode row = JSON.createObjectNode();
            ArrayNode messages = row.putObject("input").putArray("messages");
            item.messages().forEach(message -> messages.add(JSON.valueToTree(message.toMap())));
            if (item.task() >= 0) {
                row.put(TaskIds.KEY, item.task());
            }
            row.putArray("preferred_output").addObject().put("role", "assistant")
                    .put("content", item.references().get(0));
            row.putArray("non_preferred_output").addObject().put("role", "assistant").put("content", answers.get(i));
            lines.add(row.toString());
        }
        return lines;
    }
}
