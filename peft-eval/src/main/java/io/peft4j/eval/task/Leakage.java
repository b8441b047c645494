package io.peft4j.eval.task;

import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Held-out items that also stand in the training data, as {@code data check} and {@code data split} see it: an item
 * leaks when it is asked there in the same words in the same order; filling words, case, punctuation, inflection and
 * slips of the pen aside, every number and name the same. The same question in other words, or one with the same
 * answer, is not a leak, it is what held-out data is for; those are counted beside.
 *
 * <p>Every question of a training conversation counts, each alone, and of an item its last question; system prompts do
 * not.
 *
 * @param items number of held-out items
 * @param pairs the leaked ones, in the order of the items
 * @param reworded those that ask in other words for what the training data teaches
 */
public record Leakage(int items, List<Pair> pairs, List<Pair> reworded) {
    private static final int TRAINING = 0;
    private static final int HELD_OUT = 1;
    /** Pairs that a sentence shows. */
    private static final int SHOWN = 3;

    /**
     * A held-out item and where it is in the training data.
     *
     * @param item index of the item
     * @param question what it asks
     * @param place the training example
     * @param training what that asks
     */
    public record Pair(int item, String question, String place, String training) {
        /** Whether both are the same to the letter, spaces aside. */
        public boolean isIdentical() {
            return question.strip().replaceAll("\\s+", " ").equals(training.strip().replaceAll("\\s+", " "));
        }

        /** Both places, and both wordings where they differ. */
        @Override
        public String toString() {
            return "held-out row " + (item + 1) + (isIdentical() ? " is " + place
                    : " \"" + question + "\" is " + place + " \"" + training + "\"");
        }
    }

    /** Copies the lists. */
    public Leakage {
        pairs = List.copyOf(pairs);
        reworded = List.copyOf(reworded);
    }

    /**
     * Looks for each item among the questions of the training examples.
     *
     * @throws java.io.UncheckedIOException when the temporary file that holds the texts cannot be written
     */
    public static Leakage of(List<EvaluationItem> items, ChatDataset training) {
        List<ChatExample> examples = training.examples();
        try (Corpus corpus = new Corpus()) {
            for (int i = 0; i < examples.size(); i++) {
                Overlap.add(corpus, TRAINING, i, examples.get(i), Corpus.Features.of(examples.get(i)));
            }
            for (int i = 0; i < items.size(); i++) {
                corpus.add(HELD_OUT, i, Overlap.features(items.get(i).question(),
                        items.get(i).references().stream().findFirst().orElse(""),
                        items.get(i).task()));
            }
            return of(items.stream().map(EvaluationItem::question).toList(), corpus,
                    examples.stream().map(example -> example.origin().toString()).toList());
        }
    }

    /**
     * Looks for each text among those of the training data.
     *
     * @param items the held-out texts
     * @param training the texts that were trained on
     * @throws java.io.UncheckedIOException when the temporary file that holds the texts cannot be written
     */
    public static Leakage ofTexts(List<String> items, List<String> training) {
        try (Corpus corpus = new Corpus()) {
            for (int i = 0; i < training.size(); i++) {
                corpus.add(TRAINING, i, Overlap.features(training.get(i), "", TokenSequence.NO_TASK));
            }
            for (int i = 0; i < items.size(); i++) {
                corpus.add(HELD_OUT, i, Overlap.features(items.get(i), "", TokenSequence.NO_TASK));
            }
            return of(items, corpus, IntStream.rangeClosed(1, training.size()).mapToObj(i -> "row " + i).toList());
        }
    }

    private static Leakage of(List<String> items, Corpus corpus, List<String> places) {
        List<Pair> leaked = new ArrayList<>();
        List<Pair> reworded = new ArrayList<>();
        for (Overlap.Match match : Overlap.of(corpus, Relations.of(corpus)).matches()) {
            int item = (int) corpus.line(match.number());
            int taught = match.taught().get(0);
            (match.leaked() ? leaked : reworded).add(new Pair(item, items.get(item),
                    places.get((int) corpus.line(taught)), corpus.question(taught)));
        }
        return new Leakage(items.size(), leaked, reworded);
    }

    /**
     * In which words leaked items stand in the training data, as the end of a sentence:
     * {@code  in the same words (held-out row 3 is row 17)}.
     */
    public String words() {
        List<Pair> others = pairs.stream().filter(pair -> !pair.isIdentical()).toList();
        return others.isEmpty() ? " in the same words (" + pairs.get(0) + (pairs.size() > 1 ? ", ..." : "") + ")"
                : " in the same words but for case, punctuation, inflection, filling words or slips of the pen"
                        + (others.size() < pairs.size() ? " (" + others.size() + " of them)" : "") + ": "
                        + others.stream().limit(SHOWN).map(Pair::toString).collect(Collectors.joining("; "))
                        + (others.size() > SHOWN ? "; ..." : "");
    }

    /** How many items leak, in which words, and how many are only the same question in others. */
    @Override
    public String toString() {
        return "Held-out items that occur in the training data: " + count() + " of " + items + (pairs.isEmpty() ? ""
                : words()) + "; asked there in other words: " + reworded.size() + ".";
    }

    /** The number of leaked items. */
    public int count() {
        return pairs.size();
    }
}
