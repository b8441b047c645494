package io.peft4j.eval.comparison;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.option.With;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What to do with a tuned model, and why.
 *
 * @param decision ship, or why not; {@link Decision#SHIP} only where harm is ruled out, too
 * @param arm the arm that is to answer as things stand: the tuned one where it ships, else one that needs no training
 * @param itemsNeeded about how many more items are needed to decide; 0 where the items suffice
 * @param guardItemsNeeded about how many more items of a guard set are needed to know whether general ability was
 *     harmed; 0 where that is known or does not matter
 * @param sentences the reason in plain words, with the numbers behind it, and what to do; they begin with the arm to
 *     take, if any
 * @param untrained what the tuned model was compared with that needs no training
 * @param ownRows how well it has learned its own rows, where that is known
 * @param nearUnknown the share of answers that are not invented, to questions that no row answers, where these were
 *     asked
 */
@With
public record Verdict(Decision decision, String arm, int itemsNeeded, int guardItemsNeeded, List<String> sentences,
        List<Untrained> untrained, Optional<OwnRows> ownRows,
        Optional<MetricResult> nearUnknown) implements VerdictWith {
    /** The arm that answers as the most similar training row does. */
    public static final String LOOKUP = "lookup";

    /**
     * A way to answer that needs no training.
     *
     * @param name the arm, such as {@link #LOOKUP} or {@code few-shot}
     * @param description what it is, as a part of a sentence; where it is blank, the name
     * @param gain the metric that decides, base against it
     * @param tuned the metric that decides, it against the tuned model
     */
    public record Untrained(String name, String description, MetricResult gain, MetricResult tuned) {
        /** Refuses null. */
        public Untrained {
            Objects.requireNonNull(gain, "gain");
            Objects.requireNonNull(tuned, "tuned");
            description = description.isBlank() ? name : description;
        }

        /** Whether it answers as a training row does. */
        public boolean isLookup() {
            return name.equals(LOOKUP);
        }
    }

    /** The ends of an evaluation. */
    public enum Decision {
        /** Better than chance explains, also than prompts, and no loss of general ability beyond the accepted one. */
        SHIP,
        /** It would ship, but it is below 80 % while rows of its training were not learned: to be trained on. */
        NOT_FINISHED,
        /** A prompt, or the most similar training row, does as well or better, and needs no training. */
        PROMPT_INSTEAD,
        /** Worse, not better by anything worth having, or at the cost of something else. */
        DO_NOT_SHIP,
        /** Better on the task; whether it harms general ability was not asked, or these guard items cannot tell. */
        HARM_NOT_KNOWN,
        /** These items cannot tell. */
        NEED_MORE_ITEMS;

        /** {@code ship}, {@code prompt_instead}, {@code do_not_ship}, ...: the name in lower case, as in JSON. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The key in words, such as {@code Do not ship}. */
        public String words() {
            return name().charAt(0) + key().substring(1).replace('_', ' ');
        }
    }

    /** Refuses null. */
    public Verdict {
        VerdictWith.check(decision, arm, sentences, untrained, ownRows, nearUnknown);
        sentences = sentences.stream().filter(one -> !one.isBlank()).toList();
        untrained = List.copyOf(untrained);
    }

    /** One of a model of whose own rows nothing is known. */
    public Verdict(Decision decision, String arm, int itemsNeeded, int guardItemsNeeded, List<String> sentences,
            List<Untrained> untrained) {
        this(decision, arm, itemsNeeded, guardItemsNeeded, sentences, untrained, Optional.empty(),
                Optional.empty());
    }

    /** The same with a sentence more. */
    public Verdict saying(String further) {
        return withSentences(and(sentences, further));
    }

    static List<String> and(List<String> sentences, String... further) {
        return Stream.concat(sentences.stream(), Stream.of(further)).toList();
    }

    /** The sentences as one paragraph. */
    public String sentence() {
        return String.join(" ", sentences);
    }

    /**
     * The decision as a headline, such as {@code Do not ship}; where a row is to be looked up, or the model is better
     * all the same, it says so.
     */
    public String words() {
        return decision == Decision.PROMPT_INSTEAD && arm.equals(LOOKUP) ? "Look up instead"
                : decision == Decision.NOT_FINISHED ? "Better, and not finished" : decision.words();
    }

    /** Whether the tuned model is to be shipped: it is better, and harm is ruled out. */
    public boolean ships() {
        return decision == Decision.SHIP;
    }

    /**
     * {@code {"decision", "words", "arm", "items_needed", "guard_items_needed", "sentence", "sentences",
     * "without_training", "own_rows", "near_unknown"}}.
     */
    public ObjectNode toJson() {
        ObjectNode node = new ObjectMapper().createObjectNode().put("decision", decision.key()).put("words", words())
                .put("arm", arm).put("items_needed", itemsNeeded).put("guard_items_needed", guardItemsNeeded)
                .put("sentence", sentence());
        sentences.forEach(node.putArray("sentences")::add);
        untrained.forEach(way -> way.tuned().putDifference(node.withArray("without_training").addObject()
                .put("arm", way.name()).put("description", way.description()).put("score", way.tuned().base())
                .put("tuned", way.tuned().tuned())));
        ownRows.ifPresent(own -> own.putInto(node.putObject("own_rows")));
        nearUnknown.ifPresent(known -> known.putDifference(node.putObject("near_unknown").put("n", known.items())
                .put("invented", VerdictWords.wrong(known, known.tuned()))
                .put("base_invented", VerdictWords.wrong(known, known.base()))));
        return node;
    }

    /** {@code ship: Take tuned: 81 % of answers hold the expected fact against 5 %, ...}, in one line. */
    public String inOneLine() {
        return words().toLowerCase(Locale.ROOT) + ": " + sentence();
    }

    /** The decision and below it a sentence a line, of at most 100 characters; to be printed. */
    @Override
    public String toString() {
        return words().toLowerCase(Locale.ROOT) + ":\n" + lines(UnaryOperator.identity());
    }

    /** A list of Markdown, a sentence an item, in lines of at most 100 characters, which begin with a word. */
    String lines(UnaryOperator<String> written) {
        return sentences.stream().map(one -> "- " + written.apply(one).replaceAll(
                "(.{1,98})(?:(?<!\\d) +(?=[\\p{L}(\"])|$)", "$1\n  ").strip()).collect(Collectors.joining("\n"));
    }
}
