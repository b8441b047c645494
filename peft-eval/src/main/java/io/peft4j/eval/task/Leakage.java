package io.peft4j.eval.task;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.internal.Corpus;
import io.peft4j.data.near.internal.Relations;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Held-out items that also stand in the training data, found by the search that {@code data check} uses
 * ({@link Relations}). An item leaks when it is asked there in the same words in the same order: filling words, case,
 * punctuation, inflection and slips of the pen aside, every number and name the same. The same question in other words
 * is not a leak, it is what held-out data is for; those are counted beside.
 *
 * <p>Every question of a training conversation counts, each alone, and of an item its last question; system prompts do
 * not.
 *
 * @param items number of held-out items
 * @param pairs the leaked ones, in the order of the items
 * @param reworded those whose question is asked in the training data in other words
 */
public record Leakage(int items, List<Pair> pairs, List<Pair> reworded) {
    private static final int TRAINING = 0;
    private static final int HELD_OUT = 1;

    /**
     * A held-out item and where it stands in the training data.
     *
     * @param item index of the item
     * @param question what it asks
     * @param place the training example
     */
    public record Pair(int item, String question, String place) {
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
        List<String> places = new ArrayList<>();
        try (Corpus corpus = new Corpus()) {
            for (ChatExample example : training) {
                example.messages().stream().filter(message -> message.role().equals("user")).forEach(message -> {
                    add(corpus, TRAINING, places.size(), message.content());
                    places.add(example.origin().toString());
                });
            }
            for (int i = 0; i < items.size(); i++) {
                add(corpus, HELD_OUT, i, items.get(i).question());
            }
            return of(items, corpus, Relations.of(corpus), places);
        }
    }

    private static void add(Corpus corpus, int file, int line, String question) {
        corpus.add(file, line, Corpus.Features.of(ChatExample.of(ChatMessage.user(question),
                ChatMessage.assistant(""))));
    }

    private static Leakage of(List<EvaluationItem> items, Corpus corpus, Relations relations, List<String> places) {
        Map<Integer, Pair> leaked = new TreeMap<>();
        Map<Integer, Pair> reworded = new TreeMap<>();
        for (int[] group : relations.questions().several()) {
            int[] taught = IntStream.of(group).filter(number -> corpus.file(number) == TRAINING).toArray();
            IntStream.of(group).filter(number -> taught.length > 0 && corpus.file(number) == HELD_OUT)
                    .forEach(number -> {
                        int item = (int) corpus.line(number);
                        OptionalInt same = IntStream.of(taught).filter(t -> relations.sameWording(t, number))
                                .findFirst();
                        String place = places.get((int) corpus.line(same.orElse(taught[0])));
                        (same.isPresent() ? leaked : reworded).put(item,
                                new Pair(item, items.get(item).question(), place));
                    });
        }
        return new Leakage(items.size(), List.copyOf(leaked.values()), List.copyOf(reworded.values()));
    }

    /** The number of leaked items. */
    public int count() {
        return pairs.size();
    }
}
