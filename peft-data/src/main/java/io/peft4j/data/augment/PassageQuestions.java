package io.peft4j.data.augment;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.data.near.QuestionText;
import io.peft4j.data.near.StatedFact;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Writes the questions of a handbook's tables and plain sentences by rule, and has a model write those of its other
 * passages. Each sentence is shown to the model without its number or name, or its last noun where it has neither, and
 * the model writes questions for what is missing, each with another beginning; the sentence is the answer. A question
 * is kept only where it asks for what the sentence tells ({@link StatedFact}) and for nothing that another sentence of
 * the section tells, where it is well formed, and where the model finds the answer in the sentence. Plain English and
 * German sentences get theirs by rule ({@link InvertedSentence}) and need no model. Rows whose question is there
 * already stay as they are. What was written carries {@link Augmentation#MARK} {@code "model"} or {@code "rule"};
 * sentences that tell something and got no question become rows for people to fill in.
 */
@Internal(shared = true)
public final class PassageQuestions {
    private static final int SENTENCES_AT_ONCE = 16;
    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(40);
    private static final Map<String, Words> LANGUAGES = Map.of(QuestionLanguage.ENGLISH, Words.of(
            QuestionLanguage.ENGLISH), QuestionLanguage.GERMAN, Words.of(QuestionLanguage.GERMAN));

    private final Optional<LanguageModel> model;
    private BiConsumer<Integer, Integer> listener = (done, all) -> {
    };

    /**
     * How a model is asked in a language.
     *
     * @param ask for a question, with its beginning and the sentence to be put in
     * @param read for an answer, with a text and the question to be put in
     * @param shown beginnings, sentences and their questions
     */
    private record Words(String ask, String read, List<List<String>> shown) {
        static Words of(String language) {
            List<String> all = RuleWords.forms(language + ".shown");
            return new Words(RuleWords.forms(language + ".ask").get(0), RuleWords.forms(language + ".read").get(0)
                    .replace("\\n", "\n"),
                    IntStream.range(0, all.size() / 3).mapToObj(i -> all.subList(3 * i, 3 * i + 3))
                            .toList());
        }

        private String asked(String opening, String sentence) {
            return String.format(Locale.ROOT, ask, opening, sentence);
        }

        Prompt question(String opening, String sentence) {
            List<ChatMessage> messages = new ArrayList<>();
            for (List<String> example : shown) {
                messages.add(ChatMessage.user(asked(example.get(0), example.get(1))));
                messages.add(ChatMessage.assistant(example.get(2)));
            }
            messages.add(ChatMessage.user(asked(opening, sentence)));
            return Prompt.chat(messages);
        }

        Prompt answer(String text, String question) {
            return Prompt.chat(List.of(ChatMessage.user(String.format(Locale.ROOT, read, text, question))));
        }
    }

    /** A fact with its surroundings. */
    private record Told(ChatExample row, HandbookFact told, String heading, String language, StatedFact fact,
            List<StatedFact> others) {
        String sentence() {
            return told.sentence();
        }

        Words words() {
            return LANGUAGES.getOrDefault(language, LANGUAGES.get(QuestionLanguage.ENGLISH));
        }

        List<ClozeSentence> blanks() {
            return told.isWhole() && fact.silence().isEmpty() ? ClozeSentence.of(told.clause(), language) : List.of();
        }

        /** Why a question does not ask for this fact alone, or is not well formed; empty where it is good. */
        Optional<String> refusal(String question, ClozeSentence blank) {
            return Optional.of("it gives the answer away").filter(reason -> blank.isIn(question))
                    .or(() -> fact.refusal(question, heading))
                    .or(() -> Optional.of("another sentence answers it too").filter(reason -> others.stream()
                            .anyMatch(other -> other.isAskedBy(question, heading))))
                    .or(() -> QuestionForm.fault(question, sentence()));
        }

        /** What answers a question for its topic, which the first of these sentences names. */
        Set<String> ofTopic() {
            return Stream.concat(told.before().stream(), Stream.of(sentence())).collect(Collectors.toCollection(
                    LinkedHashSet::new));
        }

        Optional<String> topic(InvertedSentence.Spelling spelling) {
            return TopicQuestion.of(told.named(), language, spelling).filter(question -> QuestionForm
                    .fault(question, sentence()).isEmpty());
        }

        /** The first question by rule that is not refused; notes why others are. */
        Optional<String> byRule(InvertedSentence.Spelling spelling, Map<Told, String> reasons) {
            for (ClozeSentence blank : blanks()) {
                Optional<String> question = InvertedSentence.question(blank, language, spelling);
                Optional<String> refusal = question.flatMap(text -> refusal(text, blank));
                if (question.isPresent() && refusal.isEmpty()) {
                    return question;
                }
                refusal.ifPresent(reason -> reasons.putIfAbsent(this, "of '" + question.get() + "': " + reason));
            }
            return Optional.empty();
        }
    }

    /** A question that was written for what was left out. */
    private record Candidate(String question, ClozeSentence blank) {
    }

    /** Questions by a model. */
    public PassageQuestions(LanguageModel model) {
        this(Optional.of(model));
    }

    private PassageQuestions(Optional<LanguageModel> model) {
        this.model = model;
    }

    /** Told how many sentences have been asked about, and how many there are. */
    public PassageQuestions listener(BiConsumer<Integer, Integer> newListener) {
        listener = Objects.requireNonNull(newListener, "listener");
        return this;
    }

    /**
     * Writes questions.
     *
     * @param rows the rows of a handbook: those with a question of their own, and those for people to fill in, each
     *     with its passage as the answer
     * @return those with a question, and in place of each other row one for each sentence that tells something
     */
    public PassageRows of(List<ChatExample> rows) {
        String text = rows.stream().map(PassageQuestions::text).collect(Collectors.joining("\n"));
        PassageRows tables = TableQuestions.of(rows);
        PassageRows made = ofSentences(tables.rows(), QuestionLanguage.of(text).orElse(QuestionLanguage.ENGLISH),
                InvertedSentence.Spelling.of(text));
        return new PassageRows(made.rows(), Stream.of(tables, made).flatMap(part -> part.unasked().stream()).toList(),
                tables.statements());
    }

    /** As {@link #of} without a model: a passage with a sentence that no rule asks for remains to be filled in. */
    public static PassageRows byRule(List<ChatExample> rows) {
        return new PassageQuestions(Optional.empty()).of(rows);
    }

    private static String text(ChatExample row) {
        return row.messages().get(row.messages().size() - 1).content();
    }

    /** The language of a passage; a short one that looks like none that rules know is in that of the whole. */
    static String language(String text, String whole) {
        return QuestionLanguage.of(text).filter(LANGUAGES::containsKey).orElse(whole);
    }

    private PassageRows ofSentences(List<ChatExample> rows, String whole, InvertedSentence.Spelling spelling) {
        List<PassageRows.Unasked> unasked = new ArrayList<>();
        List<Told> told = rows.stream().filter(row -> UnfilledRows.unfilled(row).isPresent())
                .flatMap(row -> told(row, language(text(row), whole), unasked).stream()).toList();
        Map<Told, String> written = new LinkedHashMap<>();
        Map<Told, String> reasons = new HashMap<>();
        told.forEach(each -> each.byRule(spelling, reasons).ifPresent(question -> written.put(each, question)));
        Set<Told> byRule = Set.copyOf(written.keySet());
        List<Told> open = told.stream().filter(each -> model.isPresent() && !byRule.contains(each)).toList();
        for (int from = 0; from < open.size(); from += SENTENCES_AT_ONCE) {
            List<Told> some = open.subList(from, Math.min(open.size(), from + SENTENCES_AT_ONCE));
            choose(some, candidates(some, reasons), written, reasons);
            listener.accept(from + some.size(), open.size());
        }
        Set<String> seen = new HashSet<>();
        Map<String, Set<String>> topics = new HashMap<>();
        Map<ChatExample, List<Supplier<ChatExample>>> made = new IdentityHashMap<>();
        for (Told from : told) {
            Optional<String> question = Optional.ofNullable(written.get(from)).filter(text -> seen.add(QuestionText.key(
                    text)));
            Optional<String> topic = question.isPresent() ? Optional.empty() : from.topic(spelling);
            List<Supplier<ChatExample>> ofRow = made.computeIfAbsent(from.row(), row -> new ArrayList<>());
            String answered = topic.map(QuestionText::key).orElse("");
            if (question.isPresent()) {
                ofRow.add(() -> example(from, question.get(), from.sentence(), byRule.contains(from) ? "rule"
                        : "model"));
            } else if (topics.containsKey(answered)) {
                topics.get(answered).addAll(from.ofTopic());
            } else if (topic.isPresent() && seen.add(answered)) {
                topics.put(answered, from.ofTopic());
                ofRow.add(() -> example(from, topic.get(), String.join(" ", topics.get(answered)), "rule"));
            } else {
                unasked.add(unasked(from, written, reasons));
                ofRow.add(() -> model.isEmpty() ? from.row() : TableQuestions.with(from.row(), from.told().at(), from
                        .row().messages().get(0).content(), from.sentence(), from.row().extra()));
            }
        }
        return new PassageRows(rows.stream().flatMap(row -> UnfilledRows.unfilled(row).isEmpty() ? Stream.of(row)
                : made.getOrDefault(row, model.isPresent() ? List.of() : List.of(() -> row)).stream().map(Supplier::get)
                        .distinct())
                .toList(), unasked, 0);
    }

    private PassageRows.Unasked unasked(Told from, Map<Told, String> written, Map<Told, String> reasons) {
        String reason = from.fact().silence().filter(silence -> from.told().isWhole()).orElse(!from.told().isWhole()
                ? "only another part of its sentence is asked for" : model.isPresent()
                        ? "no question matches its values" : "no model was asked for a question");
        return PassageRows.Unasked.of(from.row(), from.told().at(), from.told().clause(), Optional.ofNullable(written
                .get(from)).map(text -> "'" + text + "' is asked already").orElse(reasons.getOrDefault(from, reason)),
                true);
    }

    private static ChatExample example(Told from, String question, String answer, String mark) {
        Map<String, Object> extra = new LinkedHashMap<>(from.row().extra());
        extra.put(Augmentation.MARK, mark);
        return TableQuestions.with(from.row(), from.told().at(), question, answer, extra);
    }

    private static List<Told> told(ChatExample row, String spoken, List<PassageRows.Unasked> unasked) {
        String heading = row.extra().get(HandbookSections.HEADING) instanceof String title ? title : "";
        Map<HandbookFact, StatedFact> facts = new LinkedHashMap<>();
        for (HandbookFact one : HandbookFact.of(text(row), spoken)) {
            StatedFact fact = new StatedFact(one.clause());
            Optional<String> silence = one.clause().endsWith("?") ? Optional.of("it is a question itself")
                    : fact.silence().filter(reason -> one.isWhole() && TopicQuestion.of(one.named(), spoken,
                            InvertedSentence.Spelling.UNKNOWN).isEmpty());
            silence.ifPresent(
                    reason -> unasked.add(PassageRows.Unasked.of(row, one.at(), one.clause(), reason, false)));
            if (silence.isEmpty() && facts.keySet().stream().noneMatch(other -> other.clause().equals(one.clause()))) {
                facts.put(one, fact);
            }
        }
        List<Told> told = new ArrayList<>();
        facts.forEach((one, fact) -> told.add(new Told(row, one, heading, spoken, fact,
                facts.values().stream().filter(other -> other != fact).toList())));
        return told;
    }

    /** The questions for each sentence that ask for its fact, the surest beginnings first. */
    private List<List<Candidate>> candidates(List<Told> some, Map<Told, String> reasons) {
        List<Prompt> prompts = new ArrayList<>();
        some.forEach(told -> told.blanks().forEach(blank -> blank.openings().forEach(opening -> prompts.add(
                told.words().question(opening, blank.sentence())))));
        Iterator<Completion> written = prompts.isEmpty() ? Collections.emptyIterator()
                : model.orElseThrow().generate(prompts, OPTIONS).iterator();
        List<List<Candidate>> candidates = new ArrayList<>();
        for (Told told : some) {
            List<Candidate> asking = new ArrayList<>();
            for (ClozeSentence blank : told.blanks()) {
                for (String opening : blank.openings()) {
                    String line = written.next().text().strip().lines().findFirst().orElse("").strip();
                    String question = blank.withoutLooseEnd(line);
                    Optional<String> refusal = !question.startsWith(opening + " ")
                            ? Optional.of("it does not begin with '" + opening + "'") : told.refusal(question, blank);
                    if (refusal.isEmpty()) {
                        asking.add(new Candidate(question, blank));
                    }
                    // Of several questions the first, which has the surest beginning.
                    refusal.ifPresent(reason -> reasons.putIfAbsent(told, "of '" + question + "': " + reason));
                }
            }
            candidates.add(asking);
        }
        return candidates;
    }

    /** Keeps of each sentence the first question whose answer the model reads in the sentence. */
    private void choose(List<Told> some, List<List<Candidate>> candidates, Map<Told, String> written,
            Map<Told, String> reasons) {
        int rounds = candidates.stream().mapToInt(List::size).max().orElse(0);
        for (int round = 0; round < rounds; round++) {
            Map<Told, Candidate> asked = new LinkedHashMap<>();
            List<Prompt> prompts = new ArrayList<>();
            for (int i = 0; i < some.size(); i++) {
                if (!written.containsKey(some.get(i)) && round < candidates.get(i).size()) {
                    Candidate candidate = candidates.get(i).get(round);
                    asked.put(some.get(i), candidate);
                    prompts.add(some.get(i).words().answer(some.get(i).sentence(), candidate.question()));
                }
            }
            if (prompts.isEmpty()) {
                return;
            }
            Iterator<Completion> answers = model.orElseThrow().generate(prompts, OPTIONS).iterator();
            asked.forEach((told, candidate) -> {
                String answer = answers.next().text();
                if (candidate.blank().isIn(answer) && told.fact().isIn(answer, candidate.question(), told.sentence())) {
                    written.put(told, candidate.question());
                } else {
                    reasons.put(told, "asked '" + candidate.question() + "' with it, the model gives another answer");
                }
            });
        }
    }
}
