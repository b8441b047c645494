package io.peft4j.benchmarks;

import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.measure.SpeedLimits;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.TrainingBenchmark;
import io.peft4j.train.TrainingPasses;
import io.peft4j.train.optimizer.AdamW;
import io.peft4j.train.optimizer.Updates;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Times whole training steps (LoRA of rank 16 on all linear layers, AdamW) and says where the time goes. Arguments:
 * model, batches, {@code f32} or another precision, steps; more batches may follow, and all are used in turn. Batches
 * are a shape as {@code 4x128}, random tokens that are all supervised, or {@code FILE.jsonl:8}, as many batches of chat
 * data as there are steps, in the file's order.
 */
public final class TrainingStepProfile {
    private static final int RANK = 16;
    private static final int WARM_UP = 6;

    private TrainingStepProfile() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        ModelOptions options = ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.valueOf(args[2].toUpperCase(Locale.ROOT)));
        int steps = Integer.parseInt(args[3]);
        Kernels kernels = KernelSelection.best();
        TimedKernels timed = new TimedKernels(kernels);
        LoraConfig lora = LoraConfig.builder().rank(RANK).alpha(2 * RANK).targetModules(TargetModules.ALL_LINEAR)
                .build();
        try (BaseModel base = BaseModel.load(ModelLocator.fromEnvironment().locate(args[0]), options, timed.kernels());
                PeftModel model = base.withAdapter(lora);
                TrainingPasses passes = TrainingPasses.of(model);
                Updates optimizer = new Updates(model.engine(), model.trainableParameters(), AdamW.DEFAULT, 0)) {
            List<PackedBatch> batches = new ArrayList<>(batches(model, args[1], steps));
            Arrays.stream(args).skip(4).forEach(more -> batches.addAll(batches(model, more, steps)));
            for (int i = 0; i < Math.max(WARM_UP, batches.size()); i++) {
                step(passes, optimizer, batches.get(i % batches.size()));
            }
            timed.reset();
            long allocated = ProcessUsage.allocatedHeapBytes().orElse(0);
            double[] seconds = new double[steps];
            long tokens = 0;
            for (int i = 0; i < steps; i++) {
                PackedBatch batch = batches.get(i % batches.size());
                long begin = System.nanoTime();
                double loss = step(passes, optimizer, batch);
                seconds[i] = (System.nanoTime() - begin) / 1e9;
                tokens += batch.rows();
                System.out.printf("step %d: %.1f ms, loss %.4f%n", i + 1, 1e3 * seconds[i],
                        loss / batch.targets().count());
            }
            double all = Arrays.stream(seconds).sum();
            allocated = ProcessUsage.allocatedHeapBytes().orElse(0) - allocated;
            String parts = StepParts.table(timed, all, steps,
                    SpeedLimits.matmulGflops(kernels, base.network().description().activationType()));
            System.out.print(timed.report(steps));
            System.out.print(parts);
            double[] sorted = seconds.clone();
            Arrays.sort(sorted);
            System.out.printf("median %.1f ms, %.1f tokens/s on average; temporaries %.1f MB, allocated on the heap "
                    + "%.2f MB a step%n", 1e3 * sorted[steps / 2], tokens / all, passes.peakBytes() / 1e6,
                    allocated / 1e6 / steps);
        }
    }

    private static double step(TrainingPasses passes, Updates optimizer, PackedBatch batch) {
        double sum = passes.training(batch, 1, pass -> pass.backward(batch.targets().count()));
        double norm = optimizer.gradientNorm();
        optimizer.step(1e-4, Math.min(1, 1 / (norm + 1e-6)));
        return sum;
    }

    private static List<PackedBatch> batches(PeftModel model, String what, int steps) {
        int colon = what.lastIndexOf(':');
        if (colon < 0) {
            return List.of(batch(what));
        }
        int size = Integer.parseInt(what.substring(colon + 1));
        List<TokenSequence> examples = TrainingBenchmark.chatExamples(model,
                ChatDataset.read(Path.of(what.substring(0, colon))));
        return IntStream.range(0, steps)
                .mapToObj(i -> PackedBatch.sharingPrefixes(examples.subList(i * size, (i + 1) * size))).toList();
    }

    private static PackedBatch batch(String shape) {
        BatchShape sizes = BatchShape.parse(shape);
        Random random = new Random(sizes.sequences() * 31L + sizes.tokens());
        return PackedBatch.of(IntStream.range(0, sizes.sequences()).mapToObj(i -> TokenSequence.allSupervised(
                random.ints(sizes.tokens(), 100, 40_000).toArray())).toList());
    }

    /** What a training step consists of, and the operations of each part. */
    private enum StepParts {
        /**
         * Products with frozen weights, forward and back to the input, and LoRA's updates that are computed with them.
         */
        PRODUCTS("products with frozen weights and adapters", "linear", "linearBackward", "linearWithLowRank",
                "linearWithLowRankBackward"),
        /** Products with adapters alone. */
        ADAPTERS("adapters alone", "lowRank", "lowRankBackward", "matmul"),
        /** Attention and the rotation of queries and keys. */
        ATTENTION("attention, rotary embedding", "attention", "attentionBackward", "rotary"),
        /** Norms. */
        NORMS("norms", "rmsNorm", "rmsNormBackward", "layerNorm", "layerNormBackward"),
        /** The feed-forward network's activation, and what it gates. */
        ACTIVATION("activation", "gated", "gatedBackward", "activate", "activateBackward"),
        /** Cross-entropy without the output layer. */
        LOSS("loss", "crossEntropyGradient"),
        /** Clipping and AdamW. */
        OPTIMIZER("optimizer", "adamW", "sumOfSquares");

        private final String title;
        private final List<String> operations;

        StepParts(String title, String... operations) {
            this.title = title;
            this.operations = List.of(operations);
        }

        /**
         * A table of the parts of a step.
         *
         * @param seconds of all steps
         * @param limit the rate of large matrix products, GFLOPS
         */
        static String table(TimedKernels timed, double seconds, int steps, double limit) {
            StringBuilder table = new StringBuilder();
            double rest = seconds;
            for (StepParts part : values()) {
                double own = timed.seconds(part.operations);
                rest -= own;
                append(table, part.title, own, seconds, steps);
            }
            append(table, "rest", rest, seconds, steps);
            double gflops = timed.flops() / timed.seconds(PRODUCTS.operations) / 1e9;
            table.append(String.format(Locale.ROOT,
                    "products at %.1f GFLOPS, %.1f %% of the limit of %.1f; whole step at "
                            + "%.1f %%%n",
                    gflops, 100 * gflops / limit, limit, 100 * timed.flops() / seconds / 1e9 / limit));
            return table.toString();
        }

        private static void append(StringBuilder table, String title, double own, double seconds, int steps) {
            table.append(String.format(Locale.ROOT, "%-42s %8.2f ms %5.1f %%%n", title, 1e3 * own / steps,
                    100 * own / seconds));
        }
    }
}
