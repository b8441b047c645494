package io.peft4j.cli;

import io.peft4j.core.measure.internal.SpeedLimits;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How a quickstart trains and what it asks: as the handbook is learned best where that takes some minutes at most, else
 * as much of it as this machine has the speed for.
 *
 * @param layers the uppermost decoder layers that are adapted; those below are computed once for each example
 * @param epochs passes over the examples
 * @param batchSize examples an update
 * @param learningRate peak of the learning rate
 * @param every one of so many held-out questions is asked
 * @param guard whether the questions on general ability are asked, too
 * @param reason what it follows from
 */
record QuickstartPlan(int layers, int epochs, int batchSize, double learningRate, int every, boolean guard,
        String reason) {
    private static final long SMALL = 20_000_000;
    /** Time for training and questions; loading and the page come on top. */
    private static final double SECONDS = 150;
    /** The share of the speed of large products that trainings and answers have, rather less than measured. */
    private static final double SHARE = 0.45;
    /** The built-in data: tokens and supervised tokens an epoch, tokens of the questions and of the guard set. */
    private static final double TOKENS = 10_000;
    private static final double SUPERVISED = 6_200;
    private static final double ASKED = 2 * 88 * 80;
    private static final double GUARDED = 2 * 150 * 90;

    /** The plan for a model on this machine; measures its speed, which takes a second, unless the model is small. */
    static QuickstartPlan of(BaseModel base) {
        ModelDescription model = base.network().description();
        if (model.parameters() < SMALL) {
            return small(model.layers());
        }
        return of(model, base.engine().compute(k -> SpeedLimits.matmulGflops(k, model.activationType())));
    }

    /** A very small model has no layer to spare, and its steps cost the same whether they are small or not. */
    private static QuickstartPlan small(int layers) {
        return new QuickstartPlan(layers, 10, 16, 7e-3, 1, true, "a very small model");
    }

    /** The plan for a speed of large products, in 10^9 operations a second. */
    static QuickstartPlan of(ModelDescription model, double gflops) {
        List<QuickstartPlan> plans = plans(model.layers());
        String machine = String.format(Locale.ROOT, "%.0f GFLOPS in large products here", gflops);
        QuickstartPlan chosen = plans.stream().filter(plan -> plan.seconds(model, gflops) <= SECONDS).findFirst()
                .orElse(plans.get(plans.size() - 1));
        return chosen.because(chosen.equals(plans.get(0)) ? machine
                : machine + ", so fewer epochs or questions than the "
                + Progress.time(plans.get(0).seconds(model, gflops)) + " of the whole story");
    }

    /** From the best to the fastest. */
    private static List<QuickstartPlan> plans(int layers) {
        // Half as many layers learn the examples as fast, and answer half as many questions in other words.
        int upper = layers - 3 * layers / 5;
        return List.of(new QuickstartPlan(upper, 7, 8, 1.5e-3, 1, true, ""),
                new QuickstartPlan(upper, 5, 8, 2e-3, 1, true, ""),
                new QuickstartPlan(upper, 5, 8, 2e-3, 2, false, ""));
    }

    private QuickstartPlan because(String why) {
        return new QuickstartPlan(layers, epochs, batchSize, learningRate, every, guard, why);
    }

    /** The same with numbers that somebody asked for. */
    QuickstartPlan with(int newEpochs, double newLearningRate) {
        return new QuickstartPlan(layers, newEpochs, batchSize, newLearningRate, every, guard, reason);
    }

    /** The held-out questions that are asked. */
    List<EvaluationItem> questions(List<EvaluationItem> all) {
        return IntStream.range(0, all.size()).filter(i -> i % every == every - 1).mapToObj(all::get).toList();
    }

    /** The first adapted layer. */
    int firstLayer(ModelDescription model) {
        return model.layers() - layers;
    }

    /** About what it takes: two operations a parameter and token forward, as many back through frozen weights. */
    double seconds(ModelDescription model, double gflops) {
        double head = (double) model.vocabularySize() * model.hiddenSize();
        double body = model.parameters() - head;
        double upper = body * layers / model.layers();
        double training = 2 * (body - upper) * TOKENS + epochs * 4 * (upper * TOKENS + head * SUPERVISED);
        double answers = 2 * (body + head) * (ASKED / every + (guard ? GUARDED : 0));
        return (training + answers) / (SHARE * gflops * 1e9);
    }
}
