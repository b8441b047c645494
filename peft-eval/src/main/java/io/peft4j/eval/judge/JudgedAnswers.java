package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.judge.Judge.Choice;
import io.peft4j.eval.judge.Judge.Preference;
import io.peft4j.eval.judge.Judge.Rating;
import io.peft4j.eval.judge.Judge.Trouble;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.PairedScores;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/**
 * Has a judge judge the base model's answers and those of other arms: {@code judge_score}, the points of each answer
 * from 0 to 1, and {@code judge_preferred}, the share of items on which an arm's answer is preferred in both orders (a
 * tie is preferred on neither side). Answers are judged several at a time, in a fixed order of results.
 */
@Internal
public final class JudgedAnswers {
    /** The points of single answers. */
    public static final String SCORE = "judge_score";
    /** The share of answers that are preferred. */
    public static final String PREFERRED = "judge_preferred";

    private final Judge judge;
    private final int atOnce;
    private final List<EvaluationItem> items;
    private final List<String> base;
    private final List<Rating> baseRatings;
    private final List<Rating> ratings = new ArrayList<>();
    private final List<Preference> preferences = new ArrayList<>();

    /**
     * Judges the base model's answers.
     *
     * @param judge who judges; asked by several threads
     * @param atOnce number of answers judged at a time, at least 1
     */
    public JudgedAnswers(Judge judge, int atOnce, List<EvaluationItem> items, List<String> base) {
        if (atOnce < 1) {
            throw new ConfigurationException("the number of answers judged at once must be at least 1, got " + atOnce);
        }
        this.judge = Objects.requireNonNull(judge, "judge");
        this.atOnce = atOnce;
        this.items = List.copyOf(items);
        this.base = List.copyOf(base);
        this.baseRatings = each(i -> judge.rate(this.items.get(i), this.base.get(i)));
        ratings.addAll(baseRatings);
    }

    /** Judges another arm's answers, alone and against the base model's. */
    public List<PairedScores> against(List<String> answers) {
        List<Rating> rated = each(i -> judge.rate(items.get(i), answers.get(i)));
        // Equal answers are a tie, whatever a judge would say.
        List<Preference> preferred = each(i -> base.get(i).equals(answers.get(i)) ? Preference.of(Choice.TIE)
                : judge.compare(items.get(i), base.get(i), answers.get(i)));
        ratings.addAll(rated);
        preferences.addAll(preferred);
        return List.of(new PairedScores(SCORE, false, points(baseRatings), points(rated)),
                new PairedScores(PREFERRED, true, chosen(preferred, Choice.FIRST), chosen(preferred, Choice.SECOND)));
    }

    private static List<OptionalDouble> points(List<Rating> ratings) {
        return ratings.stream().map(rating -> rating.points().isPresent()
                ? OptionalDouble.of((rating.points().getAsInt() - 1) / (Judge.MOST_POINTS - 1.0))
                : OptionalDouble.empty()).toList();
    }

    private static List<OptionalDouble> chosen(List<Preference> preferences, Choice side) {
        return preferences.stream().map(preference -> preference.choice()
                .map(choice -> OptionalDouble.of(choice == side ? 1 : 0)).orElse(OptionalDouble.empty())).toList();
    }

    private <T> List<T> each(IntFunction<T> judgement) {
        ExecutorService threads = Executors.newFixedThreadPool(atOnce);
        try {
            List<Future<T>> futures = new ArrayList<>();
            for (int i = 0; i < items.size(); i++) {
                int item = i;
                futures.add(threads.submit(() -> judgement.apply(item)));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("judging was interrupted", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    /** What was judged so far, and what went wrong. */
    public JudgeReport report() {
        List<Trouble> rated = ratings.stream().flatMap(rating -> rating.trouble().stream()).toList();
        List<Trouble> compared = preferences.stream().flatMap(preference -> preference.trouble().stream()).toList();
        int swayed = (int) preferences.stream().filter(p -> p.choice().equals(Optional.of(Choice.INCONSISTENT)))
                .count();
        List<String> messages = new ArrayList<>();
        rated.forEach(trouble -> messages.add(trouble.message()));
        compared.forEach(trouble -> messages.add(trouble.message()));
        return new JudgeReport(judge.name(), List.of(count(SCORE, ratings.size(), rated, 0),
                count(PREFERRED, preferences.size(), compared, swayed)), messages);
    }

    private static JudgeReport.Count count(String metric, int asked, List<Trouble> troubles, int swayed) {
        int unparsable = (int) troubles.stream().filter(Trouble::unparsable).count();
        return new JudgeReport.Count(metric, asked - troubles.size(), troubles.size() - unparsable, unparsable,
                swayed);
    }
}
