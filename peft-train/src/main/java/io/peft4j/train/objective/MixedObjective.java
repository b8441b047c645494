package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Several objectives at once, each with examples of its own: the loss is the weighted sum of theirs, each the mean over
 * its examples. Preferences with a share of the likelihood of good answers, for instance, which keeps a model from
 * unlearning both answers of a pair:
 *
 * <pre>{@code
 * MixedObjective both = MixedObjective.of(new DpoObjective(model), pairs)
 *         .and(0.5, new ChatObjective(model), chats.examples());
 * Trainer.builder(model).learningRate(1e-4).build().train(both);
 * }</pre>
 *
 * <p>An update takes as many batches of each, as if it were trained alone; an epoch is one of the first objective, and
 * the others start over whenever they are through. Which batches they are depends on the update's number alone.
 * Measured is what each objective measures, and its {@code loss}, with its name and a stroke before ({@code dpo/loss},
 * {@code sft/loss}).
 */
public final class MixedObjective implements Objective<MixedObjective.Example> {
    private final List<Part<?>> parts;
    private final List<String> names;

    /**
     * An objective of several.
     *
     * @param objective what is minimized
     * @param weight what its loss counts, above 0
     * @param examples what is learned
     * @param held what its loss is measured on; may be empty
     */
    public record Part<E>(Objective<E> objective, double weight, List<E> examples, List<E> held) {
        /** Copies the lists. */
        public Part {
            examples = List.copyOf(examples);
            held = List.copyOf(held);
            if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new ConfigurationException("the weight of " + objective.name() + " is " + weight
                        + "; it must be above 0");
            }
            if (examples.isEmpty()) {
                throw new ConfigurationException("no examples given for " + objective.name());
            }
        }

        private EncodedExamples encode(List<Object> some, DataSetup setup) {
            @SuppressWarnings("unchecked")
            List<E> own = (List<E>) some;
            return objective.encode(own, setup);
        }

        private List<EncodedExample> encode(Object example) {
            @SuppressWarnings("unchecked")
            E own = (E) example;
            return objective.encode(own);
        }

        private Part<E> smoothed(double share) {
            return new Part<>(objective.withLabelSmoothing(share), weight, examples, held);
        }
    }

    /**
     * An example of one of the objectives.
     *
     * @param part number of the objective, from 0
     * @param example as that objective has it
     */
    public record Example(int part, Object example) {
    }

    /** The objectives in their order; the first one's examples make up an epoch. */
    public MixedObjective(List<Part<?>> parts) {
        if (parts.isEmpty()) {
            throw new ConfigurationException("no objective given");
        }
        this.parts = List.copyOf(parts);
        List<String> all = new ArrayList<>();
        Set<String> taken = new HashSet<>();
        for (Part<?> part : parts) {
            String name = part.objective().name();
            for (int number = 2; !taken.add(name); number++) {
                name = part.objective().name() + "-" + number;
            }
            all.add(name);
        }
        this.names = List.copyOf(all);
    }

    /** An objective that others are added to; its weight is 1. */
    public static <E> MixedObjective of(Objective<E> objective, List<E> examples) {
        return new MixedObjective(List.of(new Part<>(objective, 1, examples, List.of())));
    }

    /** This, and another one with a weight. */
    public <E> MixedObjective and(double weight, Objective<E> objective, List<E> examples) {
        return and(new Part<>(objective, weight, examples, List.of()));
    }

    /** This, and another one. */
    public MixedObjective and(Part<?> part) {
        List<Part<?>> more = new ArrayList<>(parts);
        more.add(part);
        return new MixedObjective(more);
    }

    /** The examples of all objectives. */
    public List<Example> examples() {
        return all(Part::examples);
    }

    /** What the loss is measured on; an objective without any does not count there. */
    public List<Example> held() {
        return all(Part::held);
    }

    private List<Example> all(Function<Part<?>, List<?>> which) {
        List<Example> all = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            int part = i;
            which.apply(parts.get(i)).forEach(example -> all.add(new Example(part, example)));
        }
        return all;
    }

    @Override
    public MixedObjective withLabelSmoothing(double share) {
        return new MixedObjective(parts.stream().<Part<?>>map(part -> part.smoothed(share)).toList());
    }

    @Override
    public String name() {
        return String.join("+", names);
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        for (int i = 0; i < parts.size(); i++) {
            String name = names.get(i) + ".";
            settings.put(name + "weight", String.valueOf(parts.get(i).weight()));
            parts.get(i).objective().settings().forEach((key, value) -> settings.put(name + key, value));
        }
        return settings;
    }

    @Override
    public List<Double> partWeights() {
        return parts.stream().map(Part::weight).toList();
    }

    @Override
    public List<EncodedExample> encode(Example example) {
        return parts.get(example.part()).encode(example.example()).stream()
                .map(encoded -> encoded.ofPart(example.part())).toList();
    }

    @Override
    public EncodedExamples encode(List<Example> examples, DataSetup setup) {
        List<EncodedExample> all = new ArrayList<>();
        int leftOut = 0;
        for (int i = 0; i < parts.size(); i++) {
            int part = i;
            List<Object> own = examples.stream().filter(example -> example.part() == part).map(Example::example)
                    .toList();
            if (own.isEmpty()) {
                continue;
            }
            EncodedExamples encoded = parts.get(i).encode(own, new DataSetup(names.get(i) + " " + setup.kind(),
                    setup.maxLength(), setup.batchSize()));
            encoded.examples().forEach(example -> all.add(example.ofPart(part)));
            leftOut += encoded.leftOut();
        }
        return new EncodedExamples(all, leftOut);
    }

    @Override
    public boolean comparesExamples() {
        return parts.stream().anyMatch(part -> part.objective().comparesExamples());
    }

    /** What the most careful of them asks for. */
    @Override
    public double autoRateFactor() {
        return parts.stream().mapToDouble(part -> part.objective().autoRateFactor()).min().orElse(1);
    }

    /** An epoch is one of the first. */
    @Override
    public double autoEpochsFactor() {
        return parts.get(0).objective().autoEpochsFactor();
    }

    /** Those of the first. */
    @Override
    public double learnedShare() {
        return parts.get(0).objective().learnedShare();
    }

    @Override
    public int autoFewestUpdates() {
        return parts.get(0).objective().autoFewestUpdates();
    }

    @Override
    public int referenceValues() {
        return parts.stream().mapToInt(part -> part.objective().referenceValues()).max().orElse(0);
    }

    @Override
    public int referenceValues(EncodedExample example) {
        return parts.get(example.part()).objective().referenceValues(example);
    }

    @Override
    public float[][] reference(Passes passes, List<EncodedExample> batch) {
        return objective(batch).reference(passes, batch);
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return measured(passes, batch, objective(batch).backward(named(passes, batch), batch, normalizer));
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return measured(passes, batch, objective(batch).loss(named(passes, batch), batch));
    }

    private Objective<?> objective(List<EncodedExample> batch) {
        return parts.get(batch.get(0).part()).objective();
    }

    private double measured(Passes passes, List<EncodedExample> batch, double sum) {
        named(passes, batch).measure("loss", sum, EncodedExample.weight(batch));
        return sum;
    }

    private Passes named(Passes passes, List<EncodedExample> batch) {
        return passes.named(names.get(batch.get(0).part()));
    }

    @Override
    public String toString() {
        return "objective " + name();
    }
}
