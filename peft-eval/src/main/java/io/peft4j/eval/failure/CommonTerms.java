package io.peft4j.eval.failure;

import io.peft4j.eval.task.internal.WordVectors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Groups failed questions by the word or pair of words that tells them best from the others: the largest log-odds ratio
 * {@code ln((f + 1/2) / (F - f + 1/2)) - ln((s + 1/2) / (S - s + 1/2))}, for f of F failed and s of S other questions
 * that hold the term, times the root of f. The group of the best term is taken out, then the next best is looked for.
 */
final class CommonTerms {
    /** What is left over. */
    static final String OTHER = "other";

    private static final int LEAST = 2;
    private static final Set<String> EMPTY_WORDS = Set.of("a", "an", "the", "is", "are", "was", "do", "does", "did",
            "i", "you", "we", "my", "our", "your", "to", "of", "in", "on", "at", "for", "and", "or", "it", "its", "be",
            "can", "with", "as", "by", "have", "has", "what", "which", "who", "how", "when", "where", "that", "this",
            "there", "me", "if", "from", "will", "much", "many", "s");

    /**
     * Failed questions that share a term.
     *
     * @param term the term
     * @param items their indexes
     * @param all number of all questions, failed or not, that hold the term
     */
    record Group(String term, List<Integer> items, int all) {
    }

    private final List<Set<String>> terms;
    private final Set<Integer> failed;

    CommonTerms(List<String> questions, List<Integer> failed) {
        this.terms = questions.stream().map(CommonTerms::terms).toList();
        this.failed = new LinkedHashSet<>(failed);
    }

    private static Set<String> terms(String question) {
        Set<String> terms = new LinkedHashSet<>();
        String before = "";
        for (String word : WordVectors.words(question)) {
            boolean empty = EMPTY_WORDS.contains(word);
            if (!empty) {
                terms.add(word);
                if (!before.isEmpty()) {
                    terms.add(before + " " + word);
                }
            }
            before = empty ? "" : word;
        }
        return terms;
    }

    /** The groups, the most telling first, what is left over last under {@link #OTHER}. */
    List<Group> groups() {
        List<Group> groups = new ArrayList<>();
        Set<Integer> left = new LinkedHashSet<>(failed);
        while (!left.isEmpty()) {
            String term = best(left);
            if (term.isEmpty()) {
                groups.add(new Group(OTHER, List.copyOf(left), left.size()));
                break;
            }
            List<Integer> items = left.stream().filter(i -> terms.get(i).contains(term)).toList();
            groups.add(new Group(term, items, (int) terms.stream().filter(t -> t.contains(term)).count()));
            left.removeAll(items);
        }
        return groups;
    }

    private String best(Set<Integer> left) {
        Map<String, Integer> inFailed = new HashMap<>();
        left.forEach(i -> terms.get(i).forEach(term -> inFailed.merge(term, 1, Integer::sum)));
        Map<String, Integer> inOthers = new HashMap<>();
        for (int i = 0; i < terms.size(); i++) {
            if (!failed.contains(i)) {
                terms.get(i).forEach(term -> inOthers.merge(term, 1, Integer::sum));
            }
        }
        int others = terms.size() - failed.size();
        String best = "";
        double bestScore = 0;
        for (Map.Entry<String, Integer> entry : inFailed.entrySet()) {
            int f = entry.getValue();
            int s = inOthers.getOrDefault(entry.getKey(), 0);
            double odds = Math.log((f + 0.5) / (left.size() - f + 0.5)) - Math.log((s + 0.5) / (others - s + 0.5));
            double score = odds * Math.sqrt(f);
            boolean first = score > bestScore || score == bestScore && (entry.getKey().length() > best.length()
                    || entry.getKey().length() == best.length() && entry.getKey().compareTo(best) < 0);
            if (f >= LEAST && odds > 0 && first) {
                best = entry.getKey();
                bestScore = score;
            }
        }
        return best;
    }
}
