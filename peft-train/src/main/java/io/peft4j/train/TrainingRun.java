package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** One training from the first update to the last: the loop and what it has seen so far. */
final class TrainingRun implements AutoCloseable {
    private final PeftModel model;
    private final TrainingOptions options;
    private final List<TokenSequence> examples;
    private final List<TokenSequence> validation;
    private final List<TrainingListener> listeners;
    private final Cancellation cancellation;
    private final TrainingPlan plan;
    private final CausalLmObjective objective;
    private final AdamW optimizer;
    private final List<StepMetrics> steps = new ArrayList<>();
    private final List<TrainingResult.Evaluation> evaluations = new ArrayList<>();

    TrainingRun(PeftModel model, TrainingOptions options, List<TokenSequence> examples,
            List<TokenSequence> validation, List<TrainingListener> listeners, Cancellation cancellation) {
        this.model = model;
        this.options = options;
        this.examples = List.copyOf(examples);
        this.validation = validation;
        this.listeners = listeners;
        this.cancellation = cancellation;
        List<Parameter> parameters = model.trainableParameters();
        this.plan = plan(parameters);
        this.objective = new CausalLmObjective(model);
        this.optimizer = new AdamW(model.kernels(), parameters, options.weightDecay());
    }

    private TrainingPlan plan(List<Parameter> parameters) {
        if (examples.isEmpty()) {
            throw new ConfigurationException("there is no example to train on");
        }
        if (parameters.isEmpty()) {
            throw new ConfigurationException("there is nothing to train: no adapter is active, or the active ones have no "
                    + "trainable parameter");
        }
        long supervised = examples.stream().mapToLong(TokenSequence::supervisedTokens).sum();
        if (supervised == 0) {
            throw new ConfigurationException("none of the " + examples.size() + " examples has a supervised token, so "
                    + "nothing would be learned; check the roles of the messages and the chat template");
        }
        int perStep = options.batchSize() * options.gradientAccumulation();
        int stepsPerEpoch = (examples.size() + perStep - 1) / perStep;
        return new TrainingPlan(examples.size(), examples.stream().mapToLong(TokenSequence::length).sum(), supervised,
                stepsPerEpoch, Math.multiplyExact((long) stepsPerEpoch, options.epochs()),
                parameters.stream().mapToLong(Parameter::length).sum());
    }

    TrainingResult execute(Optional<Path> output) {
        long begin = System.nanoTime();
        listeners.forEach(l -> l.onStart(plan));
        evaluate(0);
        for (int epoch = 0; epoch < options.epochs() && !cancellation.isRequested(); epoch++) {
            trainEpoch(epoch);
            if (!cancellation.isRequested()) {
                evaluate(epoch + 1);
            }
        }
        return new TrainingResult(plan, steps, evaluations, steps.size() < plan.totalSteps(),
                (System.nanoTime() - begin) / 1e9, output);
    }

    private void trainEpoch(int epoch) {
        int[] order = EpochOrder.of(examples.size(), options.seed(), epoch, options.shuffle());
        int perStep = options.batchSize() * options.gradientAccumulation();
        for (int from = 0; from < order.length && !cancellation.isRequested(); from += perStep) {
            int[] chosen = Arrays.copyOfRange(order, from, Math.min(order.length, from + perStep));
            List<TokenSequence> stepExamples = Arrays.stream(chosen).mapToObj(examples::get).toList();
            double epochsDone = epoch + (double) (from + chosen.length) / order.length;
            StepMetrics metrics = update(stepExamples, epochsDone);
            steps.add(metrics);
            listeners.forEach(l -> l.onStep(metrics));
        }
    }

    private StepMetrics update(List<TokenSequence> stepExamples, double epochsDone) {
        long begin = System.nanoTime();
        long step = optimizer.steps();
        double normalizer = stepExamples.stream().mapToDouble(TrainingRun::supervisedWeight).sum();
        double sum = 0;
        for (int from = 0; from < stepExamples.size(); from += options.batchSize()) {
            List<TokenSequence> batch = stepExamples.subList(from,
                    Math.min(stepExamples.size(), from + options.batchSize()));
            if (batch.stream().mapToDouble(TrainingRun::supervisedWeight).sum() > 0) {
                long seed = options.seed() * 31 + step * 1_000_003L + from;
                sum += objective.backward(pack(batch), normalizer, seed);
            }
        }
        double norm = optimizer.gradientNorm();
        double loss = normalizer == 0 ? 0 : sum / normalizer;
        requireFinite(step, loss, norm);
        double learningRate = options.learningRate()
                * options.schedule().factor(step, options.warmupSteps(), plan.totalSteps());
        optimizer.step(learningRate, clipFactor(norm));
        return new StepMetrics(step + 1, epochsDone, loss, learningRate, norm,
                stepExamples.stream().mapToLong(TokenSequence::length).sum(),
                stepExamples.stream().mapToLong(TokenSequence::supervisedTokens).sum(),
                (System.nanoTime() - begin) / 1e9);
    }

    /** Scales down to the maximal norm, with the small term in the divisor that PyTorch has. */
    private double clipFactor(double norm) {
        double max = options.maxGradNorm();
        return max == 0 ? 1 : Math.min(1, max / (norm + 1e-6));
    }

    private void requireFinite(long step, double loss, double norm) {
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new ConfigurationException("update " + (step + 1) + " gave the loss " + loss + " and the gradient norm "
                    + norm + "; the training has diverged. Lower the learning rate (" + options.learningRate()
                    + ") or the scaling of the adapter, or add warm-up steps");
        }
    }

    private void evaluate(int epoch) {
        if (validation.isEmpty()) {
            return;
        }
        double sum = 0;
        long tokens = 0;
        for (int from = 0; from < validation.size(); from += options.batchSize()) {
            PackedBatch batch = pack(validation.subList(from, Math.min(validation.size(), from + options.batchSize())));
            sum += Arrays.stream(objective.negativeLogLikelihoods(batch)).sum();
            tokens += batch.targets().count();
        }
        TrainingResult.Evaluation evaluation = new TrainingResult.Evaluation(optimizer.steps(), epoch, sum / tokens);
        evaluations.add(evaluation);
        listeners.forEach(l -> l.onEvaluation(evaluation.step(), evaluation.epoch(), evaluation.loss()));
    }

    private PackedBatch pack(List<TokenSequence> batch) {
        return options.sharePrefixes() ? PackedBatch.sharingPrefixes(batch) : PackedBatch.of(batch);
    }

    private static double supervisedWeight(TokenSequence sequence) {
        double sum = 0;
        for (int i = 1; i < sequence.weights().length; i++) {
            sum += sequence.weights()[i];
        }
        return sum;
    }

    @Override
    public void close() {
        optimizer.close();
        objective.close();
    }
}
