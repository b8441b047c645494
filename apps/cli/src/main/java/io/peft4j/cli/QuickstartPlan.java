package io.peft4j.cli;

import io.peft4j.core.model.ModelDescription;
import io.peft4j.eval.task.EvaluationItem;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How a quickstart trains and what it asks: the same on every machine, however fast or busy it is, so that it ends the
 * same way.
 *
 * @param layers the uppermost decoder layers that are adapted; those below are computed once for each example
 * @param epochs passes over the examples
 * @param batchSize examples an update
 * @param learningRate peak of the learning rate
 * @param general examples of general ability that are mixed in, against forgetting
 * @param every one of so many held-out questions is asked
 * @param guard whether the questions on general ability are asked, too
 */
record QuickstartPlan(int layers, int epochs, int batchSize, double learningRate, int general, int every,
        boolean guard) {
    /** On one layer of no model in particular, for checks of options before a model is loaded. */
    static final QuickstartPlan PLAIN = new QuickstartPlan(1, 9, 8, 1e-3, 104, 1, true);
    private static final long SMALL = 20_000_000;
    private static final int FAST_EVERY = 2;

    /** The whole story on a model. */
    static QuickstartPlan of(ModelDescription model) {
        // A very small model has no layer to spare, and its steps cost the same whether they are small or not. Of a
        // larger one, half as many layers learn the examples as fast, and answer half as many questions in other words.
        // A very small model has little general ability to lose, and no room for the handbook beside 104 other answers.
        return model.parameters() < SMALL ? new QuickstartPlan(model.layers(), 12, 16, 5e-3, 16, 1, true)
                : PLAIN.on(model.layers() - 3 * model.layers() / 5);
    }

    private QuickstartPlan on(int newLayers) {
        return new QuickstartPlan(newLayers, epochs, batchSize, learningRate, general, every, guard);
    }

    /** The same training, of which less is measured. */
    QuickstartPlan fast() {
        return new QuickstartPlan(layers, epochs, batchSize, learningRate, general, FAST_EVERY, false);
    }

    QuickstartPlan with(int newEpochs, double newLearningRate, int newGeneral) {
        return new QuickstartPlan(layers, newEpochs, batchSize, newLearningRate, newGeneral, every, guard);
    }

    /** The held-out questions that are asked. */
    List<EvaluationItem> questions(List<EvaluationItem> all) {
        return IntStream.range(0, all.size()).filter(i -> i % every == every - 1).mapToObj(all::get).toList();
    }

    /** What is left out of the whole story, for a sentence; empty where nothing is. */
    List<String> leftOut(int questions) {
        return every == 1 && guard ? List.of() : List.of(
                questions - questions / every + " of the " + questions + " held-out questions",
                "the questions on general ability, so that nothing is known of what the model forgot");
    }

    /** The first adapted layer. */
    int firstLayer(ModelDescription model) {
        return model.layers() - layers;
    }
}
