package io.peft4j.eval.study;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.study.TrainingStudy.Point;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.support.AnswerScoring;
import io.peft4j.eval.task.support.TrainedModels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;

/**
 * Trains with several numbers of examples and several seeds, and asks each model the same items:
 *
 * <pre>{@code
 * TrainingStudy study = StudyRunner.of((examples, seed) -> {
 *     PeftModel model = base.withAdapter(config);
 *     Trainer.builder(model).epochs(8).seed(seed).build().train(examples);
 *     return model;
 * }).sizes(44, 88, 176).seeds(0, 1, 2).on(handbook.train(), items);
 * }</pre>
 *
 * <p>A smaller set of examples is part of each larger one. All sizes are trained with the first seed, all seeds with
 * the largest size. A model that is {@link AutoCloseable} is closed after it has answered, so that one is alive at a
 * time.
 */
public final class StudyRunner {
    /** Trains a model. */
    @FunctionalInterface
    public interface Training {
        /** A model that has learned these examples. */
        LanguageModel train(ChatDataset examples, long seed);
    }

    private final Training training;
    private int[] sizes = {};
    private long[] seeds = {0};
    private GenerationOptions generation = GenerationOptions.defaults();

    private StudyRunner(Training training) {
        this.training = Objects.requireNonNull(training, "training");
    }

    /** Trains in this way; with one seed, 0, and greedy answers of at most 64 tokens. */
    public static StudyRunner of(Training training) {
        return new StudyRunner(training);
    }

    /** The numbers of examples, three to five as a rule. None: all examples, so that only seeds are compared. */
    public StudyRunner sizes(int... numbers) {
        sizes = Arrays.stream(numbers).sorted().distinct().toArray();
        return this;
    }

    /** The seeds; with a single one there is no spread. */
    public StudyRunner seeds(long... numbers) {
        seeds = numbers.clone();
        return this;
    }

    /** Other options of generation. */
    public StudyRunner generation(GenerationOptions newGeneration) {
        generation = Objects.requireNonNull(newGeneration, "generation");
        return this;
    }

    /**
     * Trains and asks.
     *
     * @throws ConfigurationException when there are too few sizes and seeds, or more examples are asked for than there
     *     are
     */
    public TrainingStudy on(ChatDataset examples, List<EvaluationItem> items) {
        int largest = sizes.length == 0 ? examples.size() : sizes[sizes.length - 1];
        if (seeds.length == 0 || sizes.length > 0 && sizes[0] < 1 || largest > examples.size()) {
            throw new ConfigurationException("a study with " + seeds.length + " seeds and the sizes "
                    + Arrays.toString(sizes) + " of " + examples.size() + " examples");
        }
        AnswerScoring scoring = new AnswerScoring(items);
        List<ChatExample> shuffled = shuffled(examples);
        List<Point> points = new ArrayList<>();
        for (int size : sizes) {
            points.add(point(ChatDataset.of(shuffled.subList(0, size)), seeds[0], items, scoring));
        }
        List<Point> others = new ArrayList<>();
        for (int i = 0; seeds.length > 1 && i < seeds.length; i++) {
            boolean known = i == 0 && !points.isEmpty();
            others.add(known ? points.get(points.size() - 1)
                    : point(ChatDataset.of(shuffled.subList(0, largest)), seeds[i], items, scoring));
        }
        return TrainingStudy.of(scoring.decidingMetric(), points, others);
    }

    private List<ChatExample> shuffled(ChatDataset examples) {
        List<ChatExample> shuffled = new ArrayList<>(examples.examples());
        SplittableRandom random = new SplittableRandom(seeds[0]);
        for (int i = shuffled.size() - 1; i > 0; i--) {
            java.util.Collections.swap(shuffled, i, random.nextInt(i + 1));
        }
        return shuffled;
    }

    private Point point(ChatDataset examples, long seed, List<EvaluationItem> items, AnswerScoring scoring) {
        LanguageModel model = training.train(examples, seed);
        try {
            List<String> answers = Answerer.of(model).options(generation).answers(items);
            return new Point("seed " + seed, examples.size(), scoring.decidingScore(answers));
        } finally {
            TrainedModels.close(model);
        }
    }
}
