package io.peft4j.data.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How rows become questions with answers.
 *
 * @param <E> a row
 */
@Internal(shared = true)
public interface DecisionSource<E> {
    /** Rows that are questions already. */
    DecisionSource<DecisionRow> ROWS = (row, plain) -> row;
    /** Texts with labels: a choice between all of them. */
    DecisionSource<LabelledText> TEXTS = new Labelled<>(DecisionSource::stateOf,
            row -> Set.copyOf(row.labels()), DecisionSource::gold);
    /** Conversations whose last answer is a label: a choice between all of them, about what precedes it. */
    DecisionSource<ChatExample> CHATS = new Labelled<>(
            row -> state(row.messages().subList(0, row.messages().size() - 1)), row -> Set.of(answer(row)),
            (row, question) -> DecisionRow.certain(question, answer(row)));

    /**
     * A row as questions.
     *
     * @param plain what is asked of rows without a question
     * @throws ConfigurationException when the row does not go with the question, such as a label that it has not
     */
    DecisionRow row(E row, Optional<DecisionQuestion> plain);

    /** The question for rows without one; empty where rows have their own. */
    default Optional<DecisionQuestion> question(List<E> rows, String instructions) {
        return Optional.empty();
    }

    /** Whether a question has all right answers of the rows among its options. */
    default boolean fits(List<E> rows, DecisionQuestion question) {
        return true;
    }

    /**
     * Rows with labels.
     *
     * @param state what a row asks about
     * @param labels the labels that it uses
     * @param gold the probabilities of a question's options
     */
    record Labelled<E>(Function<E, JsonNode> state, Function<E, Set<String>> labels,
            BiFunction<E, DecisionQuestion, List<Double>> gold) implements DecisionSource<E> {
        private static final String NAME = "label";

        @Override
        public DecisionRow row(E row, Optional<DecisionQuestion> plain) {
            DecisionQuestion question = plain.orElseThrow(() -> new ConfigurationException("there is no question for "
                    + "rows with a label; it comes with the training data"));
            return new DecisionRow(new DecisionRequest(state.apply(row), Map.of(NAME, question)),
                    Map.of(NAME, gold.apply(row, question)));
        }

        @Override
        public boolean fits(List<E> rows, DecisionQuestion question) {
            return rows.stream().allMatch(row -> question.names().containsAll(labels.apply(row)));
        }

        @Override
        public Optional<DecisionQuestion> question(List<E> rows, String instructions) {
            Set<String> all = rows.stream().flatMap(row -> labels.apply(row).stream())
                    .collect(Collectors.toCollection(TreeSet::new));
            if (all.size() < 2) {
                throw new ConfigurationException("all examples have the label " + all
                        + "; a question needs at least two");
            }
            if (all.size() > DecisionQuestion.MOST_OPTIONS || rows.size() > 20 && all.size() * 2 > rows.size()) {
                throw new ConfigurationException(rows.size() + " examples have " + all.size()
                        + " different answers, "
                        + "such as '" + all.iterator().next() + "'; answers that are labels come again, and there "
                        + "are at most " + DecisionQuestion.MOST_OPTIONS + ". Learn answers in words with another "
                        + "objective");
            }
            return Optional.of(DecisionQuestion.choice(instructions, List.copyOf(all)));
        }
    }

    private static JsonNode stateOf(LabelledText row) {
        return row.second().<JsonNode>map(second -> JsonNodeFactory.instance.objectNode().put("text", row.text())
                .put("text_pair", second)).orElseGet(() -> TextNode.valueOf(row.text()));
    }

    /** What is asked about where these messages stand before the answer. */
    static JsonNode state(List<ChatMessage> before) {
        if (before.size() == 1) {
            return TextNode.valueOf(before.get(0).content());
        }
        ArrayNode turns = JsonNodeFactory.instance.arrayNode();
        before.forEach(turn -> turns.addObject().put("role", turn.role()).put("content", turn.content()));
        return turns;
    }

    private static List<Double> gold(LabelledText row, DecisionQuestion question) {
        if (!row.probabilities().isEmpty()) {
            row.labels().forEach(question::option);
            return question.names().stream().map(name -> row.labels().contains(name)
                    ? row.probabilities().get(row.labels().indexOf(name)) : 0.0).toList();
        }
        if (row.labels().size() != 1) {
            throw new ConfigurationException("a text has the labels " + row.labels() + "; exactly one is right");
        }
        return DecisionRow.certain(question, row.labels().get(0));
    }

    private static String answer(ChatExample row) {
        ChatMessage last = row.messages().get(row.messages().size() - 1);
        if (!last.role().equals("assistant") || last.content().isBlank()) {
            throw new ConfigurationException("a conversation does not end with an answer, which is its label");
        }
        return last.content().strip();
    }
}
