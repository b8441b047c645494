package io.peft4j.train.runs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What metrics are called on pages, which of them are drawn, and in which order. Those not known here keep their names.
 */
final class Metrics {
    /** Metrics that only say where in the training a value is from and how much was read. */
    private static final Set<String> NOT_DRAWN = Set.of("epoch", "tokens", "supervised_tokens");
    /** How a training runs, rather than what it reaches. */
    private static final Map<String, String> COURSE = ordered("learning_rate", "Learning rate", "grad_norm",
            "Gradient norm, before clipping", "tokens_per_s", "Tokens a second");
    private static final Map<String, String> REACHED = ordered("train_loss", "Training loss", "learned_rows",
            "Rows that were right when they were seen last", "eval_loss",
            "Validation loss", "reward", "Reward", "eval_reward", "Reward on the validation data");
    /** What is measured of answers with rewards; the names in brackets are those in the files. */
    private static final Map<String, String> REWARDS = ordered("frac_reward_zero_std",
            "Share of groups whose answers have one reward (frac_reward_zero_std)", "reward_std",
            "Deviation of the rewards within a group (reward_std)", "completions/mean_length",
            "Tokens of an answer (completions/mean_length)", "completions/clipped_ratio",
            "Share of answers that are cut (completions/clipped_ratio)", "kl", "Divergence from the reference (kl)",
            "entropy", "Entropy of a token (entropy)", "ungraded", "Share of answers without a grade (ungraded)");
    private static final String PART = "rewards/";
    private static final String TRAIN = "train_";
    private static final String EVAL = "eval_";
    /** A page with more plots is no use to anybody. */
    static final int MOST = 30;

    private Metrics() {
    }

    private static Map<String, String> ordered(String... namesAndTitles) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndTitles.length; i += 2) {
            map.put(namesAndTitles[i], namesAndTitles[i + 1]);
        }
        return map;
    }

    /** What a metric is called. */
    static String title(String metric) {
        return Stream.of(COURSE, REACHED, REWARDS).map(titles -> titles.get(metric)).filter(Objects::nonNull)
                .findFirst().orElseGet(() -> metric.startsWith(PART) ? "Part of the reward: "
                        + metric.substring(PART.length()) : metric.replace('_', ' '));
    }

    /** What a plot of a metric on training and validation data is called. */
    static String quantity(String metric) {
        String bare = bare(metric);
        return bare.equals("loss") ? "Loss" : title(bare);
    }

    /** Which data a metric was measured on, where its name says so; else what it is called. */
    static String data(String metric) {
        return metric.startsWith(TRAIN) || metric.equals("reward") ? "training"
                : metric.startsWith(EVAL) ? "validation" : title(metric);
    }

    private static String bare(String metric) {
        return metric.startsWith(TRAIN) ? metric.substring(TRAIN.length())
                : metric.startsWith(EVAL) ? metric.substring(EVAL.length()) : metric;
    }

    /** Those of some metrics that say what a training reaches, losses first. */
    static List<String> reached(Set<String> metrics) {
        List<String> names = new ArrayList<>(REACHED.keySet());
        names.retainAll(metrics);
        metrics.stream().filter(name -> !NOT_DRAWN.contains(name) && !COURSE.containsKey(name)
                && !names.contains(name)).limit(MOST).forEach(names::add);
        return names;
    }

    /** The same, those together that are one quantity on different data. */
    static List<List<String>> reachedByQuantity(Set<String> metrics) {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        reached(metrics).forEach(name -> groups.computeIfAbsent(bare(name), key -> new ArrayList<>()).add(name));
        return List.copyOf(groups.values());
    }

    /** Those of some metrics that say how a training runs. */
    static List<String> course(Set<String> metrics) {
        return COURSE.keySet().stream().filter(metrics::contains).toList();
    }
}
