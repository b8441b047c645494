package io.peft4j.train;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.core.measure.SpeedLimits;
import io.peft4j.core.measure.TimedKernels;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.runs.TrainingProfile;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Notes where the time of a training goes: a section lasts until the next begins. One that is off looks at no clock
 * and leaves kernels as they are. For the thread that trains.
 */
final class Profiler {
    /** What a training does; passes are told apart further by their operations. */
    enum Section {
        ENCODING, REFERENCES, DATA, PASSES, OPTIMIZER, METRICS, EVALUATION, CHECKPOINTS, OTHER
    }

    private final boolean on;
    private final LongSupplier clock;
    private final TimedKernels kernels = new TimedKernels(false);
    private final Map<Section, Long> nanos = new EnumMap<>(Section.class);
    private Section open = Section.OTHER;
    private long since;

    Profiler(boolean on) {
        this(on, System::nanoTime);
    }

    /** The same by another clock, in nanoseconds. */
    Profiler(boolean on, LongSupplier clock) {
        this.on = on;
        this.clock = clock;
        this.since = on ? clock.getAsLong() : 0;
    }

    /** Forgets what was, and begins. */
    void begin() {
        if (on) {
            enter(Section.OTHER);
            kernels.reset();
            nanos.clear();
        }
    }

    /** Ends the open section and begins another. */
    void enter(Section next) {
        if (on) {
            long now = clock.getAsLong();
            nanos.merge(open, now - since, Long::sum);
            since = now;
            open = next;
            kernels.count(next == Section.PASSES);
        }
    }

    /** The kernels that passes of the training are to use. */
    Kernels around(Kernels plain) {
        return on ? kernels.around(plain) : plain;
    }

    /** What was noted since it began, where it is on. */
    Optional<TrainingProfile> end(PeftModel model, long steps) {
        if (!on) {
            return Optional.empty();
        }
        enter(Section.OTHER);
        Map<String, Double> seconds = new LinkedHashMap<>();
        for (Section section : Section.values()) {
            double rest = nanos.getOrDefault(section, 0L) / 1e9;
            if (section == Section.PASSES) {
                for (TimedKernels.Part part : TimedKernels.Part.values()) {
                    if (part != TimedKernels.Part.OPTIMIZER) {
                        seconds.put(part.toString(), kernels.seconds(part));
                        rest -= kernels.seconds(part);
                    }
                }
            }
            seconds.put(section.name().toLowerCase(Locale.ROOT), Math.max(0, rest));
        }
        TrainingProfile profile = new TrainingProfile(seconds, steps, List.of());
        return Optional.of(new TrainingProfile(seconds, steps, Machine.of(model, kernels).advice(profile)));
    }

    /**
     * What a training has to do with its machine.
     *
     * @param layers decoder layers of the model
     * @param below those below the first one that an adapter changes
     * @param bf16Unused whether the processor would multiply bf16 faster than the f32 it is given
     * @param threads threads of the kernels, where they tell
     * @param processors processors of the machine
     * @param rows the tokens that a product computes at once, on average
     * @param rate the rate of products with frozen weights as a share of the machine's with large matrices; 1 where
     *     they are large
     */
    record Machine(int layers, int below, boolean bf16Unused, Optional<Integer> threads, int processors, double rows,
            double rate) {
        private static final double MOST = 0.5;
        private static final double MUCH = 0.2;
        /** Tokens from which on products are about as fast as they get. */
        private static final int LARGE = 400;
        private static final double SLOW = 0.6;
        /** What to do where a part takes much. */
        private static final Map<String, String> REMEDIES = new TreeMap<>(Map.of(
                "adapters", "take a lower rank or fewer target modules",
                "optimizer", "train fewer parameters, or make fewer updates of larger batches",
                "evaluation", "measure more seldom or on fewer rows",
                "checkpoints", "save more seldom",
                "metrics", "a tracker or listener is slow"));

        static Machine of(PeftModel model, TimedKernels timed) {
            Engine engine = model.engine();
            DataType type = model.network().description().activationType();
            double rate = timed.rows() == 0 || timed.rows() >= LARGE ? 1
                    : timed.flops() / timed.seconds(TimedKernels.Part.PRODUCTS) / 1e9
                            / engine.compute(kernels -> SpeedLimits.matmulGflops(kernels, type));
            try (ModelLease lease = model.lease()) {
                return new Machine(model.network().decoderLayers().size(),
                        FrozenStates.firstChanged(model.network(), lease.layers()),
                        type == DataType.FLOAT && engine.bfloat16Speed() == BFloat16Speed.FASTER,
                        Optional.ofNullable(engine.identity().get("threads")).map(Integer::valueOf),
                        Runtime.getRuntime().availableProcessors(), timed.rows(), rate);
            }
        }

        /** What the shares of a training's time say that would make it faster. */
        List<String> advice(TrainingProfile profile) {
            List<String> all = new ArrayList<>();
            double products = profile.share("products");
            String are = "products with frozen weights";
            say(all, products >= MOST && layers > 1 && below < layers / 2, products, are + ", of "
                    + (below == 0 ? "all " : layers - below + " of ") + layers + " layers: adapters on the upper half "
                    + "alone (layers " + layers / 2 + "-" + (layers - 1) + ") leave out the gradients of the lower "
                    + "half, whose output is then computed once for all epochs; see that answers stay as good");
            say(all, products >= MUCH && bf16Unused, products, are + " in f32, and this processor multiplies bf16 "
                    + "faster: load the model in bf16");
            say(all, products >= MUCH && rate < SLOW, products, are + String.format(Locale.ROOT, " at %.0f %% of the "
                    + "rate that this machine has with large matrices, with %.0f tokens at once: take larger batches",
                    100 * rate, rows));
            double computed = products + profile.share("adapters") + profile.share("attention");
            say(all, computed >= MUCH && threads.orElse(processors) < processors, computed, "operations on "
                    + threads.orElse(0) + " threads of " + processors + " processors: use all");
            REMEDIES.forEach((part, remedy) -> say(all, profile.share(part) >= MUCH, profile.share(part),
                    part + ": " + remedy));
            return all;
        }

        private static void say(List<String> all, boolean holds, double share, String sentence) {
            if (holds) {
                all.add(String.format(Locale.ROOT, "%.0f %% are ", 100 * share) + sentence);
            }
        }
    }
}
