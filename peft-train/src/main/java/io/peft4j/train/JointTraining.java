package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.AdapterLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.train.SideBySideTrainer.Outcome;
import io.peft4j.train.objective.EncodedExample;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Trainings that run side by side: an update of each at a time, their batches in common passes. */
final class JointTraining {
    private static final Logger LOG = LoggerFactory.getLogger(SideBySideTrainer.class);

    private final List<TrainingRun> trainings;
    private final List<PeftModel> models;
    private final TrainingOptions options;
    private final Outcome[] outcomes;

    /**
     * Trainings by next-token prediction.
     *
     * @param models what each trains
     * @param options of the common passes
     */
    public JointTraining(List<TrainingRun> trainings, List<PeftModel> models, TrainingOptions options) {
        this.trainings = trainings;
        this.models = models;
        this.options = options;
        this.outcomes = new Outcome[trainings.size()];
    }

    /** Trains all to their ends. */
    public List<Outcome> execute() {
        forEach(open(), i -> trainings.get(i).start());
        while (!open().isEmpty()) {
            List<Integer> some = open();
            try (TrainingPasses passes = passes(some)) {
                while (open().equals(some)) {
                    turn(passes, some);
                }
            } catch (RuntimeException | Error e) {
                forEach(open(), i -> {
                    throw e;
                });
            }
        }
        return List.of(outcomes);
    }

    /** The trainings that go on. */
    private List<Integer> open() {
        return IntStream.range(0, outcomes.length).filter(i -> outcomes[i] == null).boxed().toList();
    }

    private TrainingPasses passes(List<Integer> some) {
        return new TrainingPasses(new Together(some.stream().map(models::get).toList()), options,
                FrozenStates.none());
    }

    /** An evaluation and an update of each, where they are due. */
    private void turn(TrainingPasses passes, List<Integer> some) {
        share(passes, some, this::evaluate);
        forEach(some, i -> {
            TrainingRun run = trainings.get(i);
            if (run.stepsDone() > 0 && !run.isOver()) {
                run.conclude();
            }
            if (run.isOver()) {
                outcomes[i] = new Outcome(Optional.of(run.save(run.end())), Optional.empty());
            }
        });
        if (open().equals(some)) {
            share(passes, some, this::update);
        }
    }

    /** What fails for all together each does alone, so that only those end for which it fails then, too. */
    private void share(TrainingPasses passes, List<Integer> some, BiConsumer<TrainingPasses, List<Integer>> work) {
        try {
            work.accept(passes, some);
        } catch (RuntimeException | Error e) {
            if (some.size() == 1) {
                throw e;
            }
            LOG.warn("a common pass of {} failed, so each continues alone here: {}", Count.of(some.size(),
                    "training"), e.toString());
            forEach(some, i -> {
                models.get(i).trainableParameters().forEach(Parameter::clearGradient);
                try (TrainingPasses own = passes(List.of(i))) {
                    work.accept(own, List.of(i));
                }
            });
        }
    }

    private void evaluate(TrainingPasses passes, List<Integer> some) {
        Map<Integer, List<List<EncodedExample>>> batches = new LinkedHashMap<>();
        TrainingEvents.Evaluation event = new TrainingEvents.Evaluation();
        event.begin();
        for (int i : some) {
            TrainingRun run = trainings.get(i);
            if (run.isEvaluationDue() && !run.isCancelled()) {
                batches.put(i, run.validationBatches());
            }
        }
        double[] sums = new double[trainings.size()];
        for (int number = 0; number < longest(batches); number++) {
            Map<Integer, List<EncodedExample>> now = at(batches, number);
            add(sums, now, passes.evaluation(pack(passes, some, now), Pass::sequenceLosses));
        }
        forEach(List.copyOf(batches.keySet()),
                i -> trainings.get(i).addEvaluation(sums[i] / weight(batches.get(i)), new Measures(), event));
    }

    private void update(TrainingPasses passes, List<Integer> some) {
        Map<Integer, BatchLosses> updates = new LinkedHashMap<>();
        Map<Integer, List<List<EncodedExample>>> batches = new LinkedHashMap<>();
        for (int i : some) {
            if (trainings.get(i).isCancelled()) {
                trainings.get(i).cancel();
            } else {
                updates.put(i, trainings.get(i).next());
                batches.put(i, updates.get(i).batches());
            }
        }
        for (int number = 0; number < longest(batches); number++) {
            Map<Integer, List<EncodedExample>> now = at(batches, number);
            double[] normalizers = now.entrySet().stream().flatMapToDouble(entry -> entry.getValue().stream()
                    .mapToDouble(example -> updates.get(entry.getKey()).normalizer(entry.getValue()))).toArray();
            double[][] losses = new double[1][];
            double[][] missed = new double[1][];
            // Without dropout the seed has no meaning.
            passes.training(pack(passes, some, now), 0, pass -> {
                losses[0] = pass.backwardBySequence(normalizers);
                missed[0] = pass.batch().targets().missed(pass.hits(), normalizers.length);
                return 0;
            });
            double[] sums = new double[trainings.size()];
            add(sums, now, losses[0]);
            int from = 0;
            for (Map.Entry<Integer, List<EncodedExample>> batch : now.entrySet()) {
                for (EncodedExample example : batch.getValue()) {
                    trainings.get(batch.getKey()).visited(updates.get(batch.getKey()), example,
                            missed[0][from] == 0,
                            losses[0][from++] / example.weight());
                }
            }
            now.keySet().forEach(i -> updates.get(i).add(sums[i]));
        }
        forEach(List.copyOf(updates.keySet()), i -> trainings.get(i).finish(updates.get(i)));
    }

    private static double weight(List<List<EncodedExample>> batches) {
        return EncodedExample.weight(batches.stream().flatMap(List::stream).toList());
    }

    private static int longest(Map<Integer, List<List<EncodedExample>>> batches) {
        return batches.values().stream().mapToInt(List::size).max().orElse(0);
    }

    /** Batch number {@code number} of those that have one. */
    private static Map<Integer, List<EncodedExample>> at(Map<Integer, List<List<EncodedExample>>> batches, int number) {
        Map<Integer, List<EncodedExample>> now = new LinkedHashMap<>();
        batches.forEach((i, all) -> {
            if (number < all.size()) {
                now.put(i, all.get(number));
            }
        });
        return now;
    }

    private static PackedBatch pack(TrainingPasses passes, List<Integer> some,
            Map<Integer, List<EncodedExample>> batches) {
        List<TokenSequence> sequences = new ArrayList<>();
        batches.forEach((i, batch) -> EncodedExample.sequences(batch)
                .forEach(sequence -> sequences.add(sequence.inGroup(some.indexOf(i)))));
        return passes.pack(sequences);
    }

    /** Adds the losses of sequences to those of their trainings. */
    private static void add(double[] sums, Map<Integer, List<EncodedExample>> batches, double[] losses) {
        int from = 0;
        for (Map.Entry<Integer, List<EncodedExample>> batch : batches.entrySet()) {
            for (EncodedExample example : batch.getValue()) {
                for (int k = 0; k < example.sequences().size(); k++) {
                    sums[batch.getKey()] += losses[from++];
                }
            }
        }
    }

    /** What fails in one training does not end the others. */
    private void forEach(List<Integer> some, Action action) {
        for (int i : some) {
            if (outcomes[i] == null) {
                try {
                    action.run(i);
                } catch (RuntimeException | Error e) {
                    trainings.get(i).failed(e);
                    outcomes[i] = new Outcome(Optional.empty(), Optional.of(e instanceof RuntimeException known ? known
                            : new IllegalStateException("the training ended with " + e, e)));
                }
            }
        }
    }

    /** Something that is done to a training. */
    @FunctionalInterface
    private interface Action {
        void run(int training);
    }

    /**
     * Some models with an adapter each as one whose rows of group i run through the adapter of model i.
     *
     * @param models on the same base
     */
    private record Together(List<PeftModel> models) implements Model {
        @Override
        public Network network() {
            return models.get(0).network();
        }

        @Override
        public Engine engine() {
            return models.get(0).engine();
        }

        /** The adapters are kept by the leases of their trainings. */
        @Override
        public ModelLease lease() {
            List<Optional<AdapterLease>> adapters = new ArrayList<>();
            try (Closer opened = new Closer()) {
                models.forEach(model -> adapters.add(Optional.of(opened.add(model.leaseAdapter(
                        model.activeAdapters().get(0))))));
                LayerSelection layers = AdapterLease.byRow(adapters);
                return models.get(0).base().lease().with(layers, List.of());
            }
        }

        @Override
        public Tokenizer tokenizer() {
            return models.get(0).tokenizer();
        }
    }
}
