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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One training from the first update to the last: the loop and what it has seen so far. */
final class TrainingRun implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);

    private final TrainingOptions options;
    private final TrainingSet examples;
    private final Optional<TrainingSet> validation;
    private final Cancellation cancellation;
    private final List<Parameter> parameters;
    private final TrainingPlan plan;
    private final Pace pace;
    private final CausalLmObjective objective;
    private final AdamW optimizer;
    private final List<StepMetrics> steps = new ArrayList<>();
    private final List<TrainingResult.Evaluation> evaluations = new ArrayList<>();
    private int[] order = new int[0];

    /**
     * Prepares a training.
     *
     * @param tooLong number of examples that were left out before
     * @throws ConfigurationException when there is nothing to train
     */
    TrainingRun(PeftModel model, TrainingOptions options, TrainingSet examples, Optional<TrainingSet> validation,
            int tooLong, Cancellation cancellation) {
        this.options = options;
        this.examples = examples;
        this.validation = validation;
        this.cancellation = cancellation;
        this.parameters = trainable(model);
        this.plan = plan(tooLong);
        this.pace = new Pace(plan.tokens() * options.epochs());
        this.objective = new CausalLmObjective(model);
        this.optimizer = new AdamW(model.kernels(), parameters, options.weightDecay());
        // A training that failed half-way may have left something there.
        parameters.forEach(Parameter::clearGradient);
    }

    private static List<Parameter> trainable(PeftModel model) {
        List<Parameter> parameters = model.trainableParameters();
        if (parameters.isEmpty()) {
            throw new ConfigurationException("there is nothing to train: no adapter is active, or the active ones have "
                    + "no trainable parameter");
        }
        return parameters;
    }

    private TrainingPlan plan(int tooLong) {
        int count = examples.sequences().size();
        int stepsPerEpoch = Math.toIntExact((count + perStep() - 1) / perStep());
        long totalSteps = (long) stepsPerEpoch * options.epochs();
        if (options.warmupSteps() >= totalSteps) {
            LOG.warn("the {} warm-up steps are not over before the training's {} steps are, so the learning rate never "
                    + "reaches {}", options.warmupSteps(), totalSteps, options.learningRate());
        }
        return new TrainingPlan(count, tooLong + examples.leftOut(), examples.tokens(), examples.supervisedTokens(),
                stepsPerEpoch, totalSteps, parameters.stream().mapToLong(Parameter::length).sum());
    }

    private long perStep() {
        return (long) options.batchSize() * options.gradientAccumulation();
    }

    /** Trains to the end, or until it is cancelled. */
    TrainingResult execute(TrainingListener listener, Optional<Path> output) {
        long begin = System.nanoTime();
        listener.onStart(plan);
        evaluate(listener);
        while (optimizer.steps() < plan.totalSteps() && update()) {
            listener.onStep(steps.get(steps.size() - 1));
            if (optimizer.steps() % plan.stepsPerEpoch() == 0) {
                evaluate(listener);
            }
        }
        return new TrainingResult(plan, steps, evaluations, optimizer.steps() < plan.totalSteps(),
                (System.nanoTime() - begin) / 1e9, output);
    }

    /** One update; false where it was cancelled before its end and nothing has changed. */
    private boolean update() {
        long begin = System.nanoTime();
        long step = optimizer.steps();
        List<TokenSequence> stepExamples = examplesOf(step);
        double normalizer = TrainingSet.weight(stepExamples);
        double sum = 0;
        for (int from = 0; from < stepExamples.size(); from += options.batchSize()) {
            if (cancellation.isRequested()) {
                return false;
            }
            List<TokenSequence> batch = batch(stepExamples, from);
            sum += objective.backward(pack(batch), normalizer, Seeds.mix(options.seed(), step, from));
        }
        double loss = sum / normalizer;
        double norm = optimizer.gradientNorm();
        requireUsable(step, loss, norm);
        double learningRate = options.learningRate()
                * options.schedule().factor(step, options.warmupSteps(), plan.totalSteps());
        optimizer.step(learningRate, clipFactor(norm));
        long tokens = stepExamples.stream().mapToLong(TokenSequence::length).sum();
        long end = System.nanoTime();
        double seconds = Math.max(1, end - begin) / 1e9;
        steps.add(new StepMetrics(step + 1, epochsAfter(step), loss, learningRate, norm, tokens,
                stepExamples.stream().mapToLong(TokenSequence::supervisedTokens).sum(), seconds,
                pace.secondsLeft(tokens, seconds, end / 1e9)));
        return true;
    }

    /** The examples of an update; they depend on its number and the seed alone. */
    private List<TokenSequence> examplesOf(long step) {
        int inEpoch = (int) (step % plan.stepsPerEpoch());
        if (inEpoch == 0 || order.length == 0) {
            order = EpochOrder.of(plan.examples(), options.seed(), (int) (step / plan.stepsPerEpoch()),
                    options.shuffle());
        }
        int from = (int) (inEpoch * perStep());
        int to = (int) Math.min(order.length, from + perStep());
        return Arrays.stream(order, from, to).mapToObj(examples.sequences()::get).toList();
    }

    private double epochsAfter(long step) {
        long inEpoch = step % plan.stepsPerEpoch() + 1;
        return step / plan.stepsPerEpoch() + Math.min(1, (double) (inEpoch * perStep()) / plan.examples());
    }

    private List<TokenSequence> batch(List<TokenSequence> sequences, int from) {
        return sequences.subList(from, (int) Math.min(sequences.size(), (long) from + options.batchSize()));
    }

    private PackedBatch pack(List<TokenSequence> batch) {
        return options.sharePrefixes() ? PackedBatch.sharingPrefixes(batch) : PackedBatch.of(batch);
    }

    /** Scales down to the maximal norm, with the small term in the divisor that PyTorch has. */
    private double clipFactor(double norm) {
        double max = options.maxGradNorm();
        return max == 0 ? 1 : Math.min(1, max / (norm + 1e-6));
    }

    private void requireUsable(long step, double loss, double norm) {
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new ConfigurationException("update " + (step + 1) + " gave the loss " + loss + " and the gradient "
                    + "norm " + norm + "; the training has diverged and the update was not made. Lower the learning "
                    + "rate (" + options.learningRate() + ") or the scaling of the adapter, or add warm-up steps");
        }
        if (step == 0 && norm == 0 && loss > 0) {
            throw new ConfigurationException("no gradient reaches any of the " + plan.trainableParameters()
                    + " trainable parameters, so nothing would be learned; check that the adapter's layers are in use "
                    + "and that its first values are not all 0");
        }
    }

    /** Measures the loss on the validation data, where there is any; a cancelled measurement is not told. */
    private void evaluate(TrainingListener listener) {
        if (validation.isEmpty()) {
            return;
        }
        List<TokenSequence> sequences = validation.get().sequences();
        double sum = 0;
        for (int from = 0; from < sequences.size(); from += options.batchSize()) {
            if (cancellation.isRequested()) {
                return;
            }
            sum += objective.loss(pack(batch(sequences, from)));
        }
        TrainingResult.Evaluation evaluation = new TrainingResult.Evaluation(optimizer.steps(),
                (double) optimizer.steps() / plan.stepsPerEpoch(), sum / TrainingSet.weight(sequences));
        evaluations.add(evaluation);
        listener.onEvaluation(evaluation.step(), evaluation.epoch(), evaluation.loss());
    }

    @Override
    public void close() {
        parameters.forEach(Parameter::clearGradient);
        optimizer.close();
        objective.close();
    }
}
