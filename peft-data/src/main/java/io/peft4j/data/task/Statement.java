package io.peft4j.data.task;

import io.peft4j.core.Internal;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.HandbookSections;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What a row says: which labels are right for an input, or whether it keeps to a form that most rows have. */
@Internal
public sealed interface Statement {
    /**
     * What is right for an input. Rows that say otherwise of the same input contradict it.
     *
     * @param slot what the labels are of: those of one slot are compared with each other
     * @param context what else must be the same, such as the wording of a question
     * @param input the text, or whatever has the labels
     * @param right what is right, as a whole
     * @param options all labels that the row uses, which are different ones; none where they are not names
     * @param open whether any text may be right: it is a label only where a few texts come again and again
     */
    record Label(String slot, String context, String input, List<String> right, List<String> options,
            boolean open) implements Statement {
        /** Copies the lists. */
        public Label {
            right = right.stream().sorted().toList();
            options = List.copyOf(options);
        }
    }

    /**
     * Whether a row keeps to a form. Where most do not, it is not the form of the set.
     *
     * @param rule the form
     * @param broken what is wrong with the row; empty where it keeps to the form
     */
    record Form(String rule, Optional<String> broken) implements Statement {
    }

    /** What an example says of itself: the better answer, the class, or the last answer of a conversation. */
    static List<Statement> of(Example example) {
        String context = String.valueOf(TaskIds.of(example.extra()));
        if (example instanceof PreferenceExample pair) {
            List<String> answers = List.of(told(pair.preferred()), told(pair.rejected()));
            return List.of(new Label("better answer", context + told(pair.prompt()), answers.stream().sorted()
                    .collect(Collectors.joining("\n\0")), answers.subList(0, 1), List.of(), false));
        }
        if (example instanceof ClassificationExample row) {
            return List.of(new Label("label", context + row.extra().get("text_pair"), row.text(), List.of(row.label()),
                    List.of(row.label()), false));
        }
        List<ChatMessage> messages = example.toChat().map(ChatExample::messages).orElse(List.of());
        int last = messages.size() - 1;
        if (last < 1 || !messages.get(last).role().equals("assistant") || messages.get(last).content().isBlank()
                || example.extra().containsKey(HandbookSections.HEADING)) {
            // Short facts of a document, asked in several wordings, are no classes.
            return List.of();
        }
        List<String> answer = List.of(messages.get(last).content().strip());
        return List.of(new Label("answer", context, told(messages.subList(0, last)), answer, answer, true));
    }

    private static String told(List<ChatMessage> messages) {
        return messages.stream().map(turn -> turn.role() + "\0" + turn.content() + turn.extra().getOrDefault(
                "tool_calls", "")).collect(Collectors.joining("\n"));
    }

    /** Of a conversation whether its last answer is good. */
    static List<Statement> of(ChatExample chat, boolean good) {
        return List.of(new Label("judgement", "", told(chat.messages()), List.of(String.valueOf(good)), List.of(),
                false));
    }

    /** Of a text, or two, its labels. */
    static List<Statement> of(LabelledText row) {
        return List.of(new Label("label", row.second().orElse(""), row.text(), row.right(), row.labels(), false));
    }

    /** Of words their labels, which begin an entity with {@code B-}, as in most sets; in some {@code I-} does. */
    static List<Statement> of(LabelledWords row) {
        List<String> labels = row.labels();
        Label label = new Label("labels", "", String.join(" ", row.words()), List.of(String.join(" ", labels)),
                row.labelled(labels).stream().distinct().toList(), false);
        Optional<String> broken = IntStream.range(0, labels.size()).filter(i -> labels.get(i).startsWith("I-")
                && (i == 0 || !labels.get(i - 1).matches("[BI]-.*") || !labels.get(i - 1).substring(2)
                        .equals(labels.get(i).substring(2))))
                .mapToObj(i -> "word " + (i + 1) + ", '" + row.words().get(i) + "', has " + labels.get(i)
                        + " and none before it " + labels.get(i).replaceFirst("I", "B"))
                .findFirst();
        boolean begins = labels.stream().anyMatch(tag -> tag.startsWith("B-"));
        return broken.isPresent() || begins ? List.of(label, new Form("B-", broken)) : List.of(label);
    }

    /** Of a text which others belong to it: with itself it has nothing to learn. */
    static List<Statement> of(TextPair row) {
        Optional<String> same = row.anchor().strip().equals(row.positive().strip())
                ? Optional.of("the positive is the anchor itself") : Optional.empty();
        return Stream.concat(of(RankedQuery.of(row)).stream(), Stream.of(new Form("positive", same))).toList();
    }

    /** Of texts how relevant they are to a query. */
    static List<Statement> of(RankedQuery row) {
        return IntStream.range(0, row.texts().size()).<Statement>mapToObj(i -> new Label("relevance", row.query(),
                row.texts().get(i), List.of(String.valueOf(row.relevance().get(i))), List.of(), false)).toList();
    }

    /** Of a state the likeliest answer to each question. */
    static List<Statement> of(DecisionRow row) {
        return row.gold().keySet().stream().<Statement>map(name -> new Label("answer to \"" + name + "\"",
                row.request().questions().get(name).toJson().toString(), row.request().state().toString(),
                List.of(row.request().questions().get(name).names().get(row.gold().get(name).indexOf(
                        Collections.max(row.gold().get(name))))),
                row.request().questions().get(name).names(), false)).toList();
    }
}
