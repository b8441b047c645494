package io.peft4j.eval.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.eval.metric.FactMatcher;
import io.peft4j.eval.metric.SquadScores;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A held-out question and what a right answer is: texts to compare with, facts that it must hold, or what
 * {@link Expectation} says.
 *
 * @param messages what is asked, ready for the answer; at least one
 * @param references right answers in full; the best counts
 * @param mustContain texts that must all occur in the answer, see {@link FactMatcher}
 * @param further what else is expected
 * @param fields the row that it was read from, where a grader is to see it; else none
 * @param task the task that an adapter with several answers it as ({@link TaskIds}), or {@link TokenSequence#NO_TASK}
 * @param origin where it comes from
 */
public record EvaluationItem(List<ChatMessage> messages, List<String> references, List<String> mustContain,
        Expectation further, Map<String, Object> fields, int task, Origin origin) {
    /** The key of the facts in a row. */
    static final String MUST_CONTAIN = "must_contain";

    /** References with more words, and without facts, are texts. */
    private static final int WORDS_OF_LABELS = 8;

    /** Copies the lists and checks that there is a question and a way to judge an answer. */
    public EvaluationItem {
        messages = List.copyOf(messages);
        references = List.copyOf(references);
        mustContain = List.copyOf(mustContain);
        Objects.requireNonNull(further, "further");
        Objects.requireNonNull(origin, "origin");
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
        boolean judged = !references.isEmpty() || !mustContain.isEmpty() || further.judgesText() || !fields.isEmpty();
        if (messages.isEmpty() || !judged
                || mustContain.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("an item needs a message, and a reference, a text that its answer "
                    + "must contain or another expectation; got " + messages.size() + " messages, "
                    + references.size() + " references and the texts " + mustContain);
        }
        if (mustContain.isEmpty() && !further.judgesText()) {
            further = DrawnFacts.of(messages.get(messages.size() - 1).content(), references).map(further::with)
                    .orElse(further);
        }
    }

    /** An item made in a program, of no task, that no grader sees. */
    public EvaluationItem(List<ChatMessage> messages, List<String> references, List<String> mustContain,
            Expectation further) {
        this(messages, references, mustContain, further, Map.of(), TokenSequence.NO_TASK, Origin.PROGRAM);
    }

    /** An item with references and facts alone. */
    public EvaluationItem(List<ChatMessage> messages, List<String> references, List<String> mustContain) {
        this(messages, references, mustContain, Expectation.NONE);
    }

    /** A question of one user message of whose answer something else is expected. */
    public static EvaluationItem expecting(String question, Expectation expectation) {
        return new EvaluationItem(List.of(ChatMessage.user(question)), List.of(), List.of(), expectation);
    }

    /** A question of one user message whose answer must hold these facts. */
    public static EvaluationItem fact(String question, String... mustContain) {
        return new EvaluationItem(List.of(ChatMessage.user(question)), List.of(), List.of(mustContain));
    }

    /** A question of one user message with right answers. */
    public static EvaluationItem reference(String question, String... references) {
        return new EvaluationItem(List.of(ChatMessage.user(question)), List.of(references), List.of());
    }

    /**
     * The item of a conversation: what precedes the last answer is asked, the answer is the reference; a field
     * {@code must_contain}, a text or a list of texts, names its facts.
     *
     * @throws DataException when there is nothing to ask, no answer, or {@code must_contain} is something else
     */
    public static EvaluationItem of(ChatExample example) {
        List<ChatMessage> prompt = example.prompt();
        if (prompt.isEmpty() || prompt.size() == example.messages().size()) {
            throw new DataException(Path.of(example.origin().file()), example.origin().line(), prompt.isEmpty()
                    ? "has no question before the assistant's answer" : "has no assistant message");
        }
        Map<String, Object> extra = example.extra();
        List<String> facts = extra.containsKey(MUST_CONTAIN)
                ? TextFields.required(Path.of(example.origin().file()), example.origin().line(), MUST_CONTAIN,
                        extra.get(MUST_CONTAIN), false)
                : List.of();
        ChatMessage answer = example.messages().get(prompt.size());
        boolean calls = !example.tools().isEmpty();
        return new EvaluationItem(prompt, calls && answer.hasToolCalls() ? List.of() : List.of(answer.content()), facts,
                calls ? Expectation.NONE.withTools(ToolCheck.of(example.tools(), answer)) : Expectation.NONE, Map.of(),
                TaskIds.of(extra), example.origin());
    }

    /** The items of conversations of one data set, as {@link #of} and {@link #together} have them. */
    public static List<EvaluationItem> all(List<ChatExample> examples) {
        return together(examples.stream().map(EvaluationItem::of).toList());
    }

    /**
     * Items of one data set: where facts are drawn from references, an answer must not fit another item's reference as
     * well as its own.
     */
    public static List<EvaluationItem> together(List<EvaluationItem> items) {
        List<Statement> all = items.stream().flatMap(item -> item.drawn().stream()).flatMap(drawn -> drawn.statements()
                .stream()).distinct().toList();
        return items.stream().map(item -> item.drawn().map(drawn -> item.with(item.further.with(drawn.among(all))))
                .orElse(item)).toList();
    }

    /** How many items are judged by what, in the words of {@link #judgedBy}. */
    public static Map<String, Long> judgedBy(List<EvaluationItem> items) {
        return items.stream().collect(Collectors.groupingBy(EvaluationItem::judgedBy, TreeMap::new, Collectors
                .counting()));
    }

    private Optional<DrawnFacts> drawn() {
        return further.facts().stream().filter(DrawnFacts.class::isInstance).map(DrawnFacts.class::cast).findFirst();
    }

    /** What tells a right answer, for people: facts that the row names or that are drawn from its reference, ... */
    public String judgedBy() {
        return drawsFacts() ? "facts drawn from the reference" : further.tools().isPresent() ? "tool calls"
                : hasFacts() ? "named facts" : references.isEmpty() ? "label, form, choice or refusal"
                        : "the reference's words";
    }

    /** The last message: what a person asked. */
    public String question() {
        return messages.get(messages.size() - 1).content();
    }

    /** The same with numbers and units normalised where facts are looked for. */
    public EvaluationItem normalized() {
        return with(further.normalized());
    }

    /** The same of a question that a former edition answers, too. */
    public EvaluationItem withFormer(EvaluationItem item) {
        return with(further.withFormer(item));
    }

    private EvaluationItem with(Expectation other) {
        return new EvaluationItem(messages, references, mustContain, other, fields, task, origin);
    }

    /** The same with other messages, such as examples before the question. */
    public EvaluationItem asking(List<ChatMessage> other) {
        return new EvaluationItem(other, references, mustContain, further, fields, task, origin);
    }

    /**
     * What a model is asked, with the tools that it may call.
     *
     * @throws ConfigurationException when its chat template shows no tools and there are some
     */
    public Prompt prompt(LanguageModel model) {
        List<Map<String, Object>> tools = further.tools().map(ToolCheck::tools).orElse(List.of());
        if (!tools.isEmpty() && model.chatTemplate().filter(text -> text.source().contains("tools")).isEmpty()) {
            throw new ConfigurationException("the chat template of " + model.network().description().name()
                    + " shows no tools, so its calls cannot be evaluated; give a chat template that does");
        }
        return (tools.isEmpty() ? Prompt.of(model, messages) : Prompt.chat(messages, tools)).inTask(task);
    }

    /** Whether a former edition has another right answer. */
    public boolean isChanged() {
        return further.former().filter(item -> !item.expected().equals(expected())).isPresent();
    }

    /** Whether a former edition has the same right answer. */
    public boolean isUnchanged() {
        return further.former().filter(item -> item.expected().equals(expected())).isPresent();
    }

    /** Whether the item says what an answer's text must hold: facts, or a reference. */
    public boolean namesFacts() {
        return !references.isEmpty() || hasFacts();
    }

    /** Whether {@link #isAnsweredBy} can be expected of an answer: no long text must occur word for word. */
    public boolean tellsRight() {
        return hasFacts() || further.tools().isPresent() || further.label().isPresent()
                || references.stream().anyMatch(text -> text.strip().split("\\s+").length <= WORDS_OF_LABELS);
    }

    /** Whether the facts are drawn from the reference, because the item names none. */
    public boolean drawsFacts() {
        return drawn().isPresent();
    }

    /** Whether an answer must hold facts, named or drawn from the reference. */
    public boolean hasFacts() {
        return !mustContain.isEmpty() || !further.facts().isEmpty();
    }

    /**
     * Whether an answer is right: of tools it calls the expected ones, or none where none is; and it holds all facts,
     * named or drawn from the reference. Where there are none, it holds a reference word for word or equals it by
     * SQuAD's rules; without a reference either, it names the label, keeps to the form, refuses or not as
     * expected, and holds the right one of given choices, as far as the item says so.
     */
    public boolean isAnsweredBy(String answer) {
        if (further.tools().isPresent() && (!hasFacts() || !further.tools().get().accepts(answer))) {
            return further.tools().get().accepts(answer);
        }
        if (hasFacts()) {
            return holdsAll(answer) && further.facts().stream().allMatch(check -> check.accepts(answer));
        }
        if (!references.isEmpty()) {
            return references.stream().anyMatch(text -> SquadScores.exactMatch(answer, text)
                    || !text.isBlank() && FactMatcher.contains(answer, text));
        }
        return further.label().map(label -> FactMatcher.contains(answer, label)).orElse(true)
                && further.form().map(form -> form.accepts(answer)).orElse(true)
                && further.refusal().map(refuses -> refuses == RefusalDetector.isRefusal(answer)).orElse(true)
                && further.choices().map(choices -> FactMatcher.contains(answer,
                        choices.texts().get(choices.answer()))).orElse(true);
    }

    private boolean holdsAll(String answer) {
        FactCheck texts = FactCheck.all(mustContain.toArray(String[]::new));
        return (further.normalizes() ? texts.normalized() : texts).accepts(answer);
    }

    /** Whether an answer is the same as another, or right where the other is the reference. */
    public boolean agree(String answer, String other) {
        return shown(answer).equals(shown(other)) || further.tools().isEmpty() && !other.isBlank()
                && reference(question(), other).isAnsweredBy(answer);
    }

    /** An answer for people: where tools are shown, its calls as they are expected. */
    public String shown(String answer) {
        List<ToolCall> calls = further.tools().isPresent() ? ToolForm.calls(answer) : List.of();
        return calls.isEmpty() ? answer : ToolCheck.words(calls);
    }

    /** What a right answer is, for people. */
    public String expected() {
        if (further.tools().filter(ToolCheck::needsCall).isPresent()) {
            return ToolCheck.words(further.tools().get().expected());
        }
        if (hasFacts()) {
            return Stream.concat(mustContain.stream(), further.facts().stream().map(FactCheck::toString))
                    .collect(Collectors.joining(", "));
        }
        if (!references.isEmpty()) {
            return String.join(" / ", references);
        }
        return further.label().or(() -> further.choices().map(choices -> choices.texts().get(choices.answer())))
                .or(() -> further.refusal().map(refuses -> refuses ? "a refusal" : "no refusal"))
                .orElse("an answer in the requested format");
    }
}
