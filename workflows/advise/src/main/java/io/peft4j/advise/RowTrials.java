package io.peft4j.advise;

import io.peft4j.advise.Advice.AnswerMethod;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.head.TaskComparison;
import io.peft4j.eval.report.TaskArm;
import io.peft4j.eval.report.TaskReport;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.train.plan.Prices;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** What trainings of a head on a quarter, a half and all of the rows reach on others, and what needs no training. */
final class RowTrials {
    private static final double HELD_OUT = 0.25;
    private static final int MOST_HELD_OUT = 200;
    private static final double LEVEL = 0.95;

    private final LanguageModel base;
    private final FineTuningAdvisor.Training training;
    private final Consumer<String> listener;
    private final Optional<Duration> budget;
    private final Prices prices;
    private final List<AnswerMethod> trained = new ArrayList<>();
    private final List<TrainingStudy.Point> points = new ArrayList<>();

    RowTrials(LanguageModel base, FineTuningAdvisor.Training training, Consumer<String> listener,
            Optional<Duration> budget, Prices prices) {
        this.base = base;
        this.training = training;
        this.listener = listener;
        this.budget = budget;
        this.prices = prices;
    }

    Advice advise(List<?> rows, List<?> given, long seed, Optional<Duration> changesEvery) {
        long begin = System.nanoTime();
        ComparisonOptions options = ComparisonOptions.defaults().withSeed(seed);
        List<Object> shuffled = new ArrayList<>(rows);
        Collections.shuffle(shuffled, new Random(seed));
        int held = given.isEmpty() ? Math.min(MOST_HELD_OUT, (int) (HELD_OUT * rows.size())) : 0;
        List<Object> examples = shuffled.subList(held, shuffled.size());
        List<?> all = given.isEmpty() ? shuffled.subList(0, held) : given;
        // Rows of another kind are refused before anything is trained.
        List<?> items = comparison(base).trainingData(examples).unknown(all);
        int[] sizes = IntStream.of(examples.size() / 4, examples.size() / 2, examples.size()).distinct().toArray();
        TaskReport report = null;
        for (int i = 0; i < sizes.length; i++) {
            int left = IntStream.range(i, sizes.length).map(k -> sizes[k]).sum();
            int size = sizes[i];
            Optional<Duration> limit = budget.map(time -> Duration.ofNanos(Math.max(1_000_000_000L, (long) (0.9
                    * (time.toNanos() - (System.nanoTime() - begin)) * size / left))));
            report = trained(examples, size, limit, items, options);
        }
        List<String> further = items.size() == all.size() ? List.of() : List.of(all.size() - items.size() + " of "
                + all.size() + " held-out rows also stand in the training data; they were left out");
        return rules(report, options, changesEvery).decide(report.metric(), items.size(), further);
    }

    private TaskComparison comparison(LanguageModel tuned) {
        return base.network().task().type().hasHead() ? TaskComparison.of(base, tuned)
                : TaskComparison.ofDecisions(base, tuned);
    }

    private TaskReport trained(List<?> examples, int size, Optional<Duration> limit, List<?> items,
            ComparisonOptions options) {
        listener.accept("training on " + Count.of(size, "row"));
        long begin = System.nanoTime();
        try (PeftModel model = training.trainRows(examples.subList(0, size), limit)) {
            long end = System.nanoTime();
            TaskReport report = comparison(model).options(options).trainingData(examples).on(items);
            double answering = (System.nanoTime() - end) / 1e9;
            double seconds = (System.nanoTime() - begin) / 1e9;
            String name = "trained on " + size;
            trained.add(way(name, name, AnswerMethod.Kind.TRAINING, report.tuned(), report, seconds, answering,
                    prices.ofMachine(seconds)).ofShare(training.share(model)));
            points.add(new TrainingStudy.Point(name, size, report.tuned().score(report.metric())));
            return report;
        }
    }

    private static AnswerMethod way(String name, String description, AnswerMethod.Kind kind, TaskArm arm,
            TaskReport report, double seconds, double answering, OptionalDouble cost) {
        TaskArm.Score score = arm.scores().get(report.metric());
        return new AnswerMethod(name, description, kind, List.of(), score.value(), score.interval()
                .orElse(new Interval(score.value(), score.value(), LEVEL)), seconds, 1, answering / report.rows(),
                cost);
    }

    private AdviceRules rules(TaskReport report, ComparisonOptions options, Optional<Duration> changesEvery) {
        Verdict verdict = report.verdict();
        List<AnswerMethod> ways = new ArrayList<>(List.of(way("base", report.base().description(),
                AnswerMethod.Kind.PROMPT, report.base(), report, 0, 0, OptionalDouble.empty())));
        verdict.untrained().forEach(way -> ways.add(new AnswerMethod(way.name(), way.description(),
                AnswerMethod.Kind.PROMPT, List.of(), way.gain().tuned(), Interval.ofShare(Math.max(0, Math.min(1,
                        way.gain().tuned())), report.rows(), LEVEL),
                0, 1, 0, OptionalDouble.empty())));
        String best = AdviceRules.untrained(ways).name();
        ways.addAll(trained);
        MetricResult difference = verdict.untrained().stream().filter(way -> way.name().equals(best))
                .map(Verdict.Untrained::tuned).findFirst().orElseGet(() -> report.metrics().stream()
                        .filter(metric -> metric.name().equals(report.metric())).findFirst().orElseThrow());
        return new AdviceRules(ways, points, verdict, difference, changesEvery, options);
    }
}
