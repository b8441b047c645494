package io.peft4j.data.augment;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.QuestionText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes more wordings of each question, by rules and by a model, for handbooks with few examples. A wording is kept
 * only where every number and name of the question survives and none is added, where it is a wording not seen yet, and
 * where it is none of the held-out questions, whose answers are to be measured, not even with other filling words or in
 * another order. What a model writes must also be one question that keeps at least half of the words of topic and has
 * none that only the answer has. Answers stay as they are. What was written carries the field {@code "generated"} with
 * {@code "rule"} or {@code "model"}.
 */
@Internal(shared = true)
public final class Augmentation {
    /** The field that marks what was written. */
    public static final String MARK = "generated";
    private static final String REQUEST = "Rewrite the question in other words. Keep every name and number. "
            + "Answer with the question alone.\n\nQuestion: ";
    private static final double TOPIC_KEPT = 0.5;
    private static final int EXAMPLES_AT_ONCE = 16;

    private final int perExample;
    private final Set<String> heldOut = new HashSet<>();
    private IntConsumer listener = done -> {
    };
    private Optional<LanguageModel> model = Optional.empty();
    private GenerationOptions options = GenerationOptions.defaults().withSampling(0.8, 0, 0.95, 0);

    /**
     * So many new wordings of each question at most.
     *
     * @throws ConfigurationException when it is not positive
     */
    public Augmentation(int perExample) {
        if (perExample < 1) {
            throw new ConfigurationException(perExample + " wordings of a question requested; at least 1 is needed");
        }
        this.perExample = perExample;
    }

    /** Questions that must not be written: those of held-out examples. */
    public Augmentation holdingOut(List<ChatExample> examples) {
        examples.forEach(example -> question(example).ifPresent(text -> heldOut.add(QuestionText.looseKey(text))));
        return this;
    }

    /** Told for how many examples the model has been asked. */
    public Augmentation listener(IntConsumer newListener) {
        listener = Objects.requireNonNull(newListener, "listener");
        return this;
    }

    /** Also asks a model for wordings, drawn at temperature 0.8 with seed 0. */
    public Augmentation with(LanguageModel newModel) {
        model = Optional.of(newModel);
        return this;
    }

    /** Also asks a model for wordings. */
    public Augmentation with(LanguageModel newModel, GenerationOptions newOptions) {
        model = Optional.of(newModel);
        options = Objects.requireNonNull(newOptions, "options");
        return this;
    }

    /** The new examples alone, in the order of those that they were made of. */
    public List<ChatExample> of(List<ChatExample> examples) {
        Set<String> seen = new HashSet<>();
        examples.forEach(example -> question(example).ifPresent(text -> seen.add(QuestionText.key(text))));
        List<List<String>> told = model.map(m -> ask(m, examples)).orElse(List.of());
        List<ChatExample> written = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            Optional<String> question = question(examples.get(i));
            if (question.isEmpty()) {
                continue;
            }
            int left = perExample;
            for (String wording : told.isEmpty() ? List.<String>of() : told.get(i)) {
                left -= keep(examples.get(i), question.get(), wording, "model", left, seen, written);
            }
            for (String wording : QuestionRules.wordings(question.get())) {
                left -= keep(examples.get(i), question.get(), wording, "rule", left, seen, written);
            }
        }
        return written;
    }

    private int keep(ChatExample example, String question, String wording, String by, int left, Set<String> seen,
            List<ChatExample> written) {
        boolean good = left > 0 && QuestionText.sameNamesAndNumbers(question, wording)
                && (by.equals("rule") || isTheQuestion(example, question, wording))
                && !heldOut.contains(QuestionText.looseKey(wording)) && seen.add(QuestionText.key(wording));
        if (good) {
            written.add(marked(example, "user", wording, example.extra(), by));
        }
        return good ? 1 : 0;
    }

    /** Models that are asked for a wording also answer the question, or ask another one. */
    private static boolean isTheQuestion(ChatExample example, String question, String wording) {
        String answer = example.messages().get(example.messages().size() - 1).content();
        return QuestionForm.fault(wording, answer).isEmpty() && QuestionText.topicKept(question, wording) >= TOPIC_KEPT
                && !QuestionText.tellsOf(answer, question, wording);
    }

    private List<List<String>> ask(LanguageModel asked, List<ChatExample> examples) {
        List<List<String>> wordings = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += EXAMPLES_AT_ONCE) {
            List<ChatExample> some = examples.subList(from, Math.min(examples.size(), from + EXAMPLES_AT_ONCE));
            List<Prompt> prompts = new ArrayList<>();
            for (ChatExample example : some) {
                for (int n = 0; n < perExample && question(example).isPresent(); n++) {
                    prompts.add(Prompt.chat(List.of(ChatMessage.user(REQUEST + question(example).get()))));
                }
            }
            // Other draws for each part, or the same question would be worded alike in each part.
            GenerationOptions drawn = options.withSampling(
                    options.sampling().withSeed(options.sampling().seed() + from));
            Iterator<Completion> answers = prompts.isEmpty() ? Collections.emptyIterator()
                    : asked.generate(prompts, drawn).iterator();
            for (ChatExample example : some) {
                List<String> told = new ArrayList<>();
                for (int n = 0; n < perExample && question(example).isPresent(); n++) {
                    told.add(firstLine(answers.next().text()));
                }
                wordings.add(told);
            }
            listener.accept(wordings.size());
        }
        return wordings;
    }

    private static String firstLine(String text) {
        String line = text.strip().lines().findFirst().orElse("").strip();
        line = line.replaceFirst("^(?i:question|rewritten question)\\s*:\\s*", "");
        return line.length() > 1 && line.startsWith("\"") && line.endsWith("\"") ? line.substring(1, line.length() - 1)
                : line;
    }

    /** The one question of an example: a conversation of several turns depends on its beginning, and is left alone. */
    private static Optional<String> question(ChatExample example) {
        List<ChatMessage> users = example.messages().stream().filter(m -> m.role().equals("user")).toList();
        return users.size() == 1 ? Optional.of(users.get(0).content()) : Optional.empty();
    }

    /** A row with another text of one role and these further fields, marked. */
    static ChatExample marked(ChatExample row, String role, String text, Map<String, Object> fields, String mark) {
        Map<String, Object> extra = new LinkedHashMap<>(fields);
        extra.put(MARK, mark);
        return new ChatExample(row.messages().stream().map(message -> message.role().equals(role)
                ? message.withContent(text) : message).toList(), row.tools(), extra, row.origin(), row.continuation());
    }

    /** Wordings of questions by rules of their language; of a language without rules there are none. */
    static final class QuestionRules {
        private QuestionRules() {
        }

        static List<String> wordings(String question) {
            String text = question.strip();
            if (text.length() < 2 || !text.endsWith("?") || text.indexOf('?') < text.length() - 1) {
                return List.of();
            }
            return switch (QuestionLanguage.of(text).orElse("")) {
                case QuestionLanguage.ENGLISH -> EnglishRules.wordings(text);
                case QuestionLanguage.GERMAN -> GermanRules.wordings(text);
                default -> List.of();
            };
        }
    }

    /**
     * Wordings of German questions by rules. In a subordinate clause the verb comes last, which is sure where a
     * question ends in a noun, and where its verb is a modal one or precedes a pronoun.
     */
    private static final class GermanRules {
        private static final String WH = "((?:wie|was|wann|wo|wer|wen|wem|warum|wohin|woher|welche|welcher|"
                + "welches|welchen|"
                + "welchem|bis wann|ab wann|seit wann|an wen|bei wem|mit wem|auf welche|f\u00fcr wen)\\b[^,;:?]*?)";
        private static final String OPEN = "(?su)^";
        private static final String END = "\\?$";
        private static final String MODALS = "kann|k\u00f6nnen|darf|d\u00fcrfen|muss|m\u00fcssen|soll|"
                + "sollen|will|wollen";
        private static final Pattern WITH_PRONOUN = Pattern.compile(OPEN + "(?i:" + WH + ") (" + MODALS + "|habe|haben|"
                + "bekomme|"
                + "bekommen|erhalte|erhalten|brauche|brauchen|bin|sind) (ich|wir)((?: [^,;:?]+)?)" + END);
        private static final Pattern PHRASED = Pattern.compile(OPEN + "(?i:(wie lange|wie hoch|wie gro\u00df|wie lang|"
                + "wie viel|was|wo|"
                + "wann|wie)) "
                + "(ist|sind|dauert|dauern|betr\u00e4gt|betragen|kostet|kosten|gilt|gelten|hei\u00dft|beginnt|"
                + "endet|liegt) "
                + "((?:der|die|das|mein|meine|unser|unsere|ein|eine) [^,;:?]*\\p{Lu}[\\p{L}\\p{N}-]*)" + END);
        private static final Pattern SUBJECT = Pattern
                .compile(OPEN + "(?i:(wer)) (?!ist\\b|sind\\b|hat\\b|war\\b|wird\\b|"
                        + MODALS.replace("|", "\\b|") + "\\b)(\\p{Ll}+t) ([^,;:?]*\\p{Lu}[\\p{L}\\p{N}-]*)" + END);
        private static final Pattern YES_NO = Pattern
                .compile(OPEN + "(?i:(" + MODALS + "|habe|haben|bekomme|bekommen)) "
                        + "(ich|wir) "
                        + "([^,;:?]+)" + END);

        private GermanRules() {
        }

        static List<String> wordings(String question) {
            List<String> wordings = new ArrayList<>();
            String clause = question.indexOf('.') < 0 && question.indexOf('!') < 0 ? clause(question) : "";
            if (!clause.isEmpty()) {
                wordings.add("Sag mir bitte, " + clause + ".");
                wordings.add("Ich m\u00f6chte wissen, " + clause + ".");
                wordings.add("Kannst du mir sagen, " + clause + "?");
            }
            wordings.add("Kurz gefragt: " + question);
            return wordings;
        }

        private static String clause(String question) {
            Matcher pronoun = WITH_PRONOUN.matcher(question);
            if (pronoun.matches()) {
                return small(pronoun.group(1)) + " " + pronoun.group(3) + pronoun.group(4) + " " + pronoun.group(2);
            }
            Matcher phrase = PHRASED.matcher(question);
            if (phrase.matches()) {
                return small(phrase.group(1)) + " " + phrase.group(3) + " " + phrase.group(2);
            }
            Matcher subject = SUBJECT.matcher(question);
            if (subject.matches()) {
                return small(subject.group(1)) + " " + subject.group(3) + " " + subject.group(2);
            }
            Matcher yesNo = YES_NO.matcher(question);
            return yesNo.matches() ? "ob " + yesNo.group(2) + " " + yesNo.group(3) + " " + small(yesNo.group(1)) : "";
        }

        private static String small(String text) {
            return text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
        }
    }
}
