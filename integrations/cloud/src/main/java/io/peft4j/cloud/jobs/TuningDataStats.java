package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.List;

/**
 * What Vertex AI tells of the data of a tuning job, computed here: how many tokens examples have, those that are asked
 * and those that are learned; which examples are left out, and why; how many tokens an epoch has. Nothing is ever cut,
 * so that no example is truncated: one that is too long is left out.
 */
final class TuningDataStats {
    private static final int SHOWN = 3;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ChatDataset data;
    private final List<Integer> inputs = new ArrayList<>();
    private final List<Integer> outputs = new ArrayList<>();
    private final List<Integer> messages = new ArrayList<>();
    private final List<Integer> dropped = new ArrayList<>();
    private final List<String> reasons = new ArrayList<>();
    private long characters;

    /**
     * The statistics of a data set.
     *
     * @param encoder the encoder of the training
     * @param maxLength the most tokens of an example
     */
    TuningDataStats(ChatDataset data, ChatEncoder encoder, int maxLength) {
        this.data = data;
        for (int i = 0; i < data.size(); i++) {
            add(i, data.examples().get(i), encoder, maxLength);
        }
    }

    private void add(int index, ChatExample example, ChatEncoder encoder, int maxLength) {
        TokenSequence sequence = encoder.encode(example);
        if (sequence.length() > maxLength) {
            drop(index, example, sequence.length() + " tokens, more than the limit of " + maxLength);
        } else if (sequence.supervisedTokens() == 0) {
            drop(index, example, "nothing to learn");
        } else {
            inputs.add(sequence.length() - sequence.supervisedTokens());
            outputs.add(sequence.supervisedTokens());
            messages.add(example.messages().size());
            characters += example.messages().stream().mapToLong(message -> message.content().length()).sum();
        }
    }

    private void drop(int index, ChatExample example, String reason) {
        dropped.add(index);
        reasons.add(example.origin() + ": " + reason);
    }

    /**
     * The statistics under Vertex AI's names.
     *
     * @param steps updates of the training
     */
    ObjectNode toJson(long steps) {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode stats = root.putObject("tuningDataStats").putObject("supervisedTuningDataStats");
        long tokens = inputs.stream().mapToLong(Integer::longValue).sum()
                + outputs.stream().mapToLong(Integer::longValue).sum();
        stats.put("tuningDatasetExampleCount", data.size()).put("totalTuningCharacterCount", characters)
                .put("totalBillableTokenCount", tokens).put("tuningStepCount", steps);
        stats.set("userInputTokenDistribution", distribution(inputs));
        stats.set("userOutputTokenDistribution", distribution(outputs));
        stats.set("userMessagePerExampleDistribution", distribution(messages));
        ArrayNode shown = stats.putArray("userDatasetExamples");
        data.stream().limit(SHOWN).forEach(example -> shown.add(contents(example)));
        stats.put("totalTruncatedExampleCount", 0).putArray("truncatedExampleIndices");
        dropped.forEach(stats.putArray("droppedExampleIndices")::add);
        reasons.forEach(stats.putArray("droppedExampleReasons")::add);
        return root;
    }

    private static ObjectNode distribution(List<Integer> values) {
        return new Distribution(values.stream().mapToInt(Integer::intValue).toArray()).toJson();
    }

    private static ArrayNode contents(ChatExample example) {
        ArrayNode contents = JSON.createArrayNode();
        for (ChatMessage message : example.messages()) {
            String role = message.role().equals("assistant") ? "model" : message.role();
            contents.addObject().put("role", role).putArray("parts").addObject().put("text", message.content());
        }
        return contents;
    }
}
