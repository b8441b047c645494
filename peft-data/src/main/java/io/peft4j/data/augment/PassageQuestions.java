package io.peft4j.data.augment;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.Skeleton;
import io.peft4j.data.near.internal.QuestionText;
import io.peft4j.data.near.internal.ToldFact;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Has a model write the questions of a handbook's passages. Each sentence that tells a number or a name is shown to the
 * model, which writes questions for it; the sentence is the answer. A question is kept only where it asks for what the
 * sentence tells ({@link ToldFact}), and where the model, asked with the passage before it, gives an answer that stands
 * there. Rows whose question is there already stay as they are. What was written carries
 * {@link Augmentation#MARK} {@code "model"}.
 */
public final class PassageQuestions {
    private static final int SENTENCES_AT_ONCE = 16;
    private static final int MOST_TOKENS = 40;
    private static final int MOST_PASSAGE = 1200;
    private static final String HEADING = "heading";
    private static final Map<String, Words> LANGUAGES = Map.of(
            QuestionLanguage.ENGLISH, new Words("Write the question that this sentence answers: ",
                    "Read this text.\n\n%s\n\nAnswer in one short sentence: %s", List.of(
                    "A new bicycle costs 480 crowns.", "How much does a new bicycle cost?",
                    "A night guard works 36 hours a week.", "How many hours a week does a night guard work?",
                    "Keys are handed in at the Harbour Office.", "Where are keys handed in?",
                    "The lease of a small barge lasts 14 years.", "How long does the lease of a small barge last?",
                    "The form for a refund is called R-9.", "What is the form for a refund called?",
                    "Boats must be back at the pier before 18:30.", "By when must boats be back at the pier?",
                    "A sailor has a clothing budget of 70 crowns a month.",
                    "What is the clothing budget of a sailor?")),
            QuestionLanguage.GERMAN, new Words("Schreibe die Frage, die dieser Satz beantwortet: ",
                    "Lies diesen Text.\n\n%s\n\nAntworte in einem kurzen Satz: %s", List.of(
                    "Ein neues Fahrrad kostet 480 Kronen.", "Wie viel kostet ein neues Fahrrad?",
                    "Eine Nachtwache arbeitet 36 Stunden in der Woche.",
                    "Wie viele Stunden arbeitet eine Nachtwache in der Woche?",
                    "Schl\u00fcssel werden im Hafenb\u00fcro abgegeben.", "Wo werden Schl\u00fcssel abgegeben?",
                    "Die Pacht eines Lastkahns dauert 14 Jahre.", "Wie lange dauert die Pacht eines Lastkahns?",
                    "Boote m\u00fcssen vor 18:30 Uhr am Steg sein.", "Bis wann m\u00fcssen Boote am Steg sein?")));

    private final LanguageModel model;
    private final int draws;
    private final long seed;
    private BiConsumer<Integer, Integer> listener = (done, all) -> { };

    /**
     * How a model is asked in a language.
     *
     * @param ask for a question
     * @param read for an answer, with the passage and the question to be put in
     * @param shown sentences with their questions, in turn
     */
    private record Words(String ask, String read, List<String> shown) {
        Prompt question(String sentence) {
            List<ChatMessage> messages = new ArrayList<>();
            for (int i = 0; i < shown.size(); i += 2) {
                messages.add(ChatMessage.user(ask + shown.get(i)));
                messages.add(ChatMessage.assistant(shown.get(i + 1)));
            }
            messages.add(ChatMessage.user(ask + sentence));
            return Prompt.chat(messages);
        }

        Prompt answer(String passage, String question) {
            return Prompt.chat(List.of(ChatMessage.user(String.format(Locale.ROOT, read, passage, question))));
        }
    }

    /** A sentence with what stands around it. */
    private record Told(ChatExample row, String sentence, String passage, String heading, Words words, ToldFact fact) {
        boolean isAskedBy(String question) {
            return fact.isAskedBy(question, heading);
        }
    }

    /**
     * Questions by a model.
     *
     * @param draws how many questions are drawn for a sentence, beside the most likely one
     * @param seed of the draws
     * @throws ConfigurationException when the number is negative
     */
    public PassageQuestions(LanguageModel model, int draws, long seed) {
        this.model = Objects.requireNonNull(model, "model");
        if (draws < 0) {
            throw new ConfigurationException("draws must be 0 or more, got " + draws);
        }
        this.draws = draws;
        this.seed = seed;
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
     * @return those with a question, and in place of each other row one for each sentence whose question was kept
     */
    public List<ChatExample> of(List<ChatExample> rows) {
        List<Told> told = rows.stream().filter(row -> Skeleton.unfilled(row).isPresent()).flatMap(row -> told(row)
                .stream()).toList();
        Map<Told, String> written = new LinkedHashMap<>();
        for (int from = 0; from < told.size(); from += SENTENCES_AT_ONCE) {
            List<Told> some = told.subList(from, Math.min(told.size(), from + SENTENCES_AT_ONCE));
            ask(some, from, written);
            listener.accept(from + some.size(), told.size());
        }
        List<ChatExample> all = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (ChatExample row : rows) {
            if (Skeleton.unfilled(row).isEmpty()) {
                all.add(row);
            } else {
                written.forEach((from, question) -> {
                    if (from.row() == row && seen.add(QuestionText.key(question))) {
                        all.add(example(from, question));
                    }
                });
            }
        }
        return all;
    }

    private static ChatExample example(Told from, String question) {
        Map<String, Object> extra = new LinkedHashMap<>(from.row().extra());
        extra.put(Augmentation.MARK, "model");
        return new ChatExample(List.of(ChatMessage.user(question), ChatMessage.assistant(from.sentence())), List.of(),
                extra, from.row().origin());
    }

    private static List<Told> told(ChatExample row) {
        String text = row.messages().get(row.messages().size() - 1).content();
        String heading = row.extra().get(HEADING) instanceof String title ? title : "";
        String language = QuestionLanguage.of(text).orElse(QuestionLanguage.ENGLISH);
        Words words = LANGUAGES.getOrDefault(language, LANGUAGES.get(QuestionLanguage.ENGLISH));
        List<Told> told = new ArrayList<>();
        text.lines().forEach(line -> {
            String passage = line.length() <= MOST_PASSAGE ? line : "";
            for (String sentence : sentences(line)) {
                ToldFact fact = new ToldFact(sentence);
                if (fact.canBeAskedFor() && !sentence.endsWith("?")) {
                    told.add(new Told(row, sentence, passage.isEmpty() ? sentence : passage, heading, words, fact));
                }
            }
        });
        return told;
    }

    private static List<String> sentences(String text) {
        BreakIterator breaks = BreakIterator.getSentenceInstance(Locale.ROOT);
        breaks.setText(text);
        List<String> sentences = new ArrayList<>();
        int from = breaks.first();
        for (int to = breaks.next(); to != BreakIterator.DONE; to = breaks.next()) {
            sentences.add(text.substring(from, to).strip());
            from = to;
        }
        return sentences;
    }

    private void ask(List<Told> some, int number, Map<Told, String> written) {
        GenerationOptions greedy = GenerationOptions.defaults().withMaxNewTokens(MOST_TOKENS);
        List<List<String>> questions = new ArrayList<>();
        some.forEach(told -> questions.add(new ArrayList<>()));
        take(some, questions, 1, greedy);
        if (draws > 0) {
            take(some, questions, draws, greedy.withSampling(0.7, 0, 0.95, seed + number));
        }
        // The first question of each sentence that asks for its fact is answered, then the second of those without.
        for (int round = 0; round <= draws; round++) {
            List<Told> asked = new ArrayList<>();
            List<Prompt> prompts = new ArrayList<>();
            List<String> open = new ArrayList<>();
            for (int i = 0; i < some.size(); i++) {
                if (!written.containsKey(some.get(i)) && round < questions.get(i).size()) {
                    asked.add(some.get(i));
                    open.add(questions.get(i).get(round));
                    prompts.add(some.get(i).words().answer(some.get(i).passage(), open.get(open.size() - 1)));
                }
            }
            Iterator<Completion> answers = prompts.isEmpty() ? List.<Completion>of().iterator()
                    : model.generate(prompts, greedy).iterator();
            for (int i = 0; i < asked.size(); i++) {
                if (asked.get(i).fact().isIn(answers.next().text(), open.get(i), asked.get(i).passage())) {
                    written.put(asked.get(i), open.get(i));
                }
            }
        }
    }

    /** Adds the questions that ask for their sentence's fact. */
    private void take(List<Told> some, List<List<String>> questions, int times, GenerationOptions options) {
        List<Prompt> prompts = new ArrayList<>();
        for (Told told : some) {
            for (int n = 0; n < times; n++) {
                prompts.add(told.words().question(told.sentence()));
            }
        }
        Iterator<Completion> answers = model.generate(prompts, options).iterator();
        for (int i = 0; i < some.size(); i++) {
            for (int n = 0; n < times; n++) {
                Optional<String> question = answers.next().text().strip().lines().findFirst().map(String::strip);
                if (question.isPresent() && some.get(i).isAskedBy(question.get())
                        && !questions.get(i).contains(question.get())) {
                    questions.get(i).add(question.get());
                }
            }
        }
    }
}
