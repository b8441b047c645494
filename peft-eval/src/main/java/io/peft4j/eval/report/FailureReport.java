package io.peft4j.eval.report;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.eval.task.AnswerScoring;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Statement;
import io.peft4j.eval.task.WordVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a tuned model got wrong, grouped by what the questions have in common.
 *
 * @param wrong indexes of the items that tuned got wrong
 * @param regressions indexes of those among them that the base model had right
 * @param groups the wrong items in groups, the most telling first; every wrong item is in one group. None where all
 *     items are wrong: then nothing tells them from others
 * @param doubted what the most similar training row answers to those wrong items where it agrees with tuned, by index
 */
public record FailureReport(List<Integer> wrong, List<Integer> regressions, List<FailureGroup> groups,
        Map<Integer, String> doubted) {
    /** As similar as other wordings of one question usually are. */
    private static final double NEAR = 0.35;
    /** Wordings of a fact that small models need to learn it, by the handbook of the examples. */
    private static final int USUAL_SUPPORT = 4;
    private static final int LEAST_SUPPORT = 2;

    /** Copies the collections. */
    public FailureReport {
        wrong = List.copyOf(wrong);
        regressions = List.copyOf(regressions);
        groups = List.copyOf(groups);
        doubted = Collections.unmodifiableMap(new TreeMap<>(doubted));
    }

    /**
     * Looks for what the failures have in common.
     *
     * @param items the items
     * @param baseRight which the base model had right
     * @param tunedRight which the tuned model had right
     * @param trainingQuestions what the training examples ask; empty where they are not known
     */
    public static FailureReport of(List<EvaluationItem> items, boolean[] baseRight, boolean[] tunedRight,
            List<String> trainingQuestions) {
        if (baseRight.length != items.size() || tunedRight.length != items.size()) {
            throw new ConfigurationException(baseRight.length + " and " + tunedRight.length + " outcomes of "
                    + items.size() + " items");
        }
        List<Integer> wrong = IntStream.range(0, items.size()).filter(i -> !tunedRight[i]).boxed().toList();
        List<Integer> regressions = wrong.stream().filter(i -> baseRight[i]).toList();
        WordVectors training = new WordVectors(trainingQuestions);
        double[] nearest = new double[items.size()];
        int[] support = new int[items.size()];
        for (int i = 0; i < nearest.length; i++) {
            double[] similarities = training.similarities(items.get(i).question());
            nearest[i] = Arrays.stream(similarities).max().orElse(Double.NaN);
            support[i] = (int) Arrays.stream(similarities).filter(s -> s >= NEAR).count();
        }
        int usual = trainingQuestions.isEmpty() ? USUAL_SUPPORT : usualSupport(support, tunedRight);
        List<FailureGroup> groups = new ArrayList<>();
        for (CommonTerms.Group group : wrong.size() == items.size() ? List.<CommonTerms.Group>of()
                : new CommonTerms(items.stream().map(EvaluationItem::question).toList(), wrong).groups()) {
            int collect = group.items().stream().mapToInt(i -> Math.max(LEAST_SUPPORT, usual - support[i])).sum();
            groups.add(new FailureGroup(group.term(), group.items(), group.all(),
                    group.items().stream().mapToInt(i -> WordVectors.words(items.get(i).question()).size()).average()
                            .orElse(0),
                    group.items().stream().mapToDouble(i -> nearest[i]).average().orElse(Double.NaN), collect));
        }
        return new FailureReport(wrong, regressions, groups, Map.of());
    }

    /**
     * The same, doubting the reference of wrong items where the lookup is wrong as well and says what tuned says: it
     * may be the held-out answer that is wrong.
     */
    FailureReport beside(AnswerScoring scoring, List<EvaluationItem> items, List<String> tuned, List<String> lookup) {
        boolean[] right = scoring.right(lookup);
        return new FailureReport(wrong, regressions, groups, wrong.stream()
                .filter(i -> !right[i] && items.get(i).agree(tuned.get(i), lookup.get(i)))
                .collect(Collectors.toMap(i -> i, i -> items.get(i).shown(lookup.get(i)))));
    }

    /** What to check of a wrong item, for people. */
    Optional<String> check(int item) {
        return Optional.ofNullable(doubted.get(item)).map(said -> "the most similar training row says \"" + said
                + "\" as well: check the held-out answer");
    }

    /** The middle number of near training examples among the items that were learned. */
    private static int usualSupport(int[] support, boolean[] right) {
        int[] learned = IntStream.range(0, support.length).filter(i -> right[i]).map(i -> support[i]).sorted()
                .toArray();
        int middle = learned.length == 0 ? USUAL_SUPPORT : learned[learned.length / 2];
        return Math.min(2 * USUAL_SUPPORT, Math.max(LEAST_SUPPORT, middle));
    }

    /** Lines for people: {@code Collect about 12 examples like these (hotel; 3 of 6 wrong): ...}. */
    public List<String> collectNext(List<EvaluationItem> items) {
        if (groups.isEmpty() && !wrong.isEmpty()) {
            return List.of("No item is right, so it is unknown which examples are missing. First check whether "
                    + "the model has learned its training data (final loss, more epochs, a higher learning "
                    + "rate), and read the answers.");
        }
        return groups.stream().map(group -> "Collect about " + Count.of(group.examplesToCollect(), "example")
                + (group.common().equals(CommonTerms.OTHER) ? " like these, which have no word in common ("
                        + group.items().size() + " wrong): "
                        : " like these (" + group.common() + "; " + group.items().size() + " of "
                                + group.itemsLikeThese() + " wrong): ")
                + String.join(" / ", group.items().stream().limit(3).map(i -> items.get(i).question()).toList()))
                .toList();
    }

    /**
     * Groups failed questions by the word or pair of words that tells them best from the others: the largest log-odds
     * ratio {@code ln((f + 1/2) / (F - f + 1/2)) - ln((s + 1/2) / (S - s + 1/2))}, for f of F failed and s of S other
     * questions that hold the term, times the root of f. The group of the best term is taken out, then the next best is
     * looked for.
     */
    private static final class CommonTerms {
        /** What is left over. */
        static final String OTHER = "other";

        private static final int LEAST = 2;
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
                boolean empty = !Statement.isTelling(word);
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

    /**
     * Wrong answers that have something in common.
     *
     * @param common the term that their questions share, or {@code other}
     * @param items indexes of the wrong items
     * @param itemsLikeThese number of all items that share the term
     * @param meanWords mean length of the questions in words
     * @param trainingSimilarity mean similarity of the questions to the nearest training example, from 0 to 1; NaN
     * where the training data is not known
     * @param examplesToCollect about how many training examples like these would help
     */
    public record FailureGroup(String common, List<Integer> items, int itemsLikeThese, double meanWords,
            double trainingSimilarity, int examplesToCollect) {
        /** Copies the list. */
        public FailureGroup {
            Objects.requireNonNull(common, "common");
            items = List.copyOf(items);
        }
    }
}
