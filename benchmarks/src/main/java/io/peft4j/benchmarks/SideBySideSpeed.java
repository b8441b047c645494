package io.peft4j.benchmarks;

import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.SideBySideTrainer;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Times trainings of LoRA (rank 16, all linear layers) side by side on one base, and one after the other. Arguments:
 * model, precision, trainings, batches as {@code 1x48} (examples by tokens, several after each other), updates. The
 * first updates of each way are not counted. Each way runs twice, in turn; the better time of each counts.
 */
public final class SideBySideSpeed {
    private static final int WARM_UP = 3;
    private static final int RANK = 16;

    private SideBySideSpeed() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        ModelOptions options = ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.valueOf(args[1].toUpperCase(Locale.ROOT)));
        int trainings = Integer.parseInt(args[2]);
        int updates = Integer.parseInt(args[args.length - 1]);
        try (BaseModel base = BaseModel.load(ModelLocator.fromEnvironment().locate(args[0]), options)) {
            for (int i = 3; i < args.length - 1; i++) {
                BatchShape shape = BatchShape.parse(args[i]);
                double[] alone = new double[2];
                double[] together = new double[2];
                double difference = 0;
                for (int turn = 0; turn < 2; turn++) {
                    List<TrainingResult> first = oneByOne(base, trainings, shape, updates);
                    List<TrainingResult> second = sideBySide(base, trainings, shape, updates);
                    alone[turn] = first.stream().mapToDouble(SideBySideSpeed::seconds).sum();
                    together[turn] = seconds(second.get(0));
                    for (int t = 0; t < trainings; t++) {
                        difference = Math.max(difference, Math.abs(second.get(t).finalTrainLoss().getAsDouble()
                                / first.get(t).finalTrainLoss().getAsDouble() - 1));
                    }
                }
                double a = DoubleStream.of(alone).min().orElseThrow() / updates;
                double b = DoubleStream.of(together).min().orElseThrow() / updates;
                System.out.printf(Locale.ROOT, "%d trainings, %s, %s: one by one %.3f s an update of all, side by side "
                        + "%.3f s, %.0f %%; last losses differ by at most %.1e%n", trainings, args[i], args[1], a, b,
                        100 * b / a, difference);
            }
        }
    }

    private static double seconds(TrainingResult result) {
        return result.steps().stream().skip(WARM_UP).mapToDouble(step -> step.seconds()).sum();
    }

    private static Trainer trainer(PeftModel model, BatchShape shape, int number, int updates) {
        return Trainer.builder(model).batchSize(shape.sequences()).maxSteps(updates + WARM_UP).seed(number)
                .learningRate(1e-4 * (number + 1)).logProgress(false).build();
    }

    private static PeftModel model(BaseModel base, int number) {
        return PeftModel.of(base, LoraConfig.builder().rank(RANK).alpha(2 * RANK)
                .targetModules(TargetModules.ALL_LINEAR).build(), new SplittableRandom(number));
    }

    private static List<TokenSequence> examples(BaseModel base, BatchShape shape) {
        return TrainingBenchmark.randomExamples(base, 8 * shape.sequences(), shape.tokens(), 1);
    }

    private static List<TrainingResult> oneByOne(BaseModel base, int trainings, BatchShape shape, int updates) {
        List<TrainingResult> results = new ArrayList<>();
        for (int i = 0; i < trainings; i++) {
            try (PeftModel model = model(base, i)) {
                results.add(trainer(model, shape, i, updates).train(examples(base, shape)));
            }
        }
        return results;
    }

    private static List<TrainingResult> sideBySide(BaseModel base, int trainings, BatchShape shape, int updates) {
        List<PeftModel> models = IntStream.range(0, trainings).mapToObj(i -> model(base, i)).toList();
        try {
            List<Trainer> trainers = IntStream.range(0, trainings)
                    .mapToObj(i -> trainer(models.get(i), shape, i, updates)).toList();
            return SideBySideTrainer.of(trainers).train(examples(base, shape)).stream()
                    .map(outcome -> outcome.result().orElseThrow()).toList();
        } finally {
            models.forEach(PeftModel::close);
        }
    }
}
