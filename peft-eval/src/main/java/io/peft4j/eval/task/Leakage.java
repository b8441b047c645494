package io.peft4j.eval.task;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatExample;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Held-out items that also stand in the training data: the same question up to case, punctuation and white space, or
 * one that shares at least 95 % of its runs of 5 characters and all of its numbers. Another wording of a question that
 * was taught is no leak; it is what held-out data is for.
 *
 * @param items number of held-out items
 * @param pairs the leaked ones
 */
public record Leakage(int items, List<Pair> pairs) {
    private static final int RUN = 5;
    private static final double SAME = 0.95;

    /**
     * A held-out item and where it stands in the training data.
     *
     * @param item index of the item
     * @param question what it asks
     * @param place the training example
     */
    public record Pair(int item, String question, String place) {
    }

    /** Copies the list. */
    public Leakage {
        pairs = List.copyOf(pairs);
    }

    /** Looks for each item among the training examples' questions. */
    public static Leakage of(List<EvaluationItem> items, ChatDataset training) {
        Map<String, String> exact = new HashMap<>();
        Map<String, List<Integer>> byRun = new HashMap<>();
        List<Set<String>> runs = new ArrayList<>();
        List<String> places = new ArrayList<>();
        for (ChatExample example : training) {
            for (int i = 1; i <= example.messages().size(); i++) {
                // Every question of a conversation counts, each with its last user message.
                ChatMessage message = example.messages().get(i - 1);
                if (message.role().equals("user")) {
                    String text = plain(message.content());
                    exact.putIfAbsent(text, example.origin().toString());
                    Set<String> all = runs(text);
                    all.forEach(run -> byRun.computeIfAbsent(run, key -> new ArrayList<>()).add(runs.size()));
                    runs.add(all);
                    places.add(example.origin().toString());
                }
            }
        }
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            String question = plain(items.get(i).question());
            String place = exact.getOrDefault(question, near(question, byRun, runs, places));
            if (place != null) {
                pairs.add(new Pair(i, items.get(i).question(), place));
            }
        }
        return new Leakage(items.size(), pairs);
    }

    private static String near(String question, Map<String, List<Integer>> byRun, List<Set<String>> runs,
            List<String> places) {
        Set<String> own = runs(question);
        Map<Integer, Integer> shared = new HashMap<>();
        own.forEach(run -> byRun.getOrDefault(run, List.of()).forEach(at -> shared.merge(at, 1, Integer::sum)));
        for (Map.Entry<Integer, Integer> entry : shared.entrySet()) {
            int all = own.size() + runs.get(entry.getKey()).size() - entry.getValue();
            if (entry.getValue() >= SAME * all) {
                return places.get(entry.getKey());
            }
        }
        return null;
    }

    private static String plain(String text) {
        return String.join(" ", WordVectors.words(text));
    }

    /** The runs of characters of a text, and its numbers as runs of their own. */
    private static Set<String> runs(String text) {
        Set<String> runs = new HashSet<>();
        for (int i = 0; i + RUN <= text.length(); i++) {
            runs.add(text.substring(i, i + RUN));
        }
        for (String word : text.split(" ")) {
            if (word.chars().anyMatch(Character::isDigit)) {
                runs.add("number " + word);
            }
        }
        return runs;
    }

    /** The number of leaked items. */
    public int count() {
        return pairs.size();
    }
}
