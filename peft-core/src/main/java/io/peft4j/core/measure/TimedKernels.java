package io.peft4j.core.measure;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.FrozenWeight;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Notes the time of each operation of kernels: where a step's time goes. For use by one thread. */
@Internal(shared = true)
public final class TimedKernels {
    /** What a training step computes, and the operations of each part. */
    public enum Part {
        /**
         * Products with frozen weights, forward and back to the input, and LoRA's updates that are computed with them.
         */
        PRODUCTS("linear", "linearBackward", "linearWithLowRank", "linearWithLowRankBackward"),
        /** Products with adapters alone. */
        ADAPTERS("lowRank", "lowRankBackward", "matmul"),
        /** Attention and the rotation of queries and keys. */
        ATTENTION("attention", "attentionBackward", "rotary"),
        /** Norms. */
        NORMS("rmsNorm", "rmsNormBackward", "layerNorm", "layerNormBackward"),
        /** The feed-forward network's activation, and what it gates. */
        ACTIVATION("gated", "gatedBackward", "activate", "activateBackward"),
        /** Cross-entropy without the output layer. */
        LOSS("crossEntropyGradient"),
        /** Clipping and AdamW. */
        OPTIMIZER("adamW", "sumOfSquares");

        private final List<String> operations;

        Part(String... operations) {
            this.operations = List.of(operations);
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final class Cost {
        long calls;
        long nanos;
    }

    private final Map<String, Cost> costs = new TreeMap<>();
    private final boolean byShape;
    private boolean counts = true;
    private double flops;
    private long products;
    private long rows;

    /** Nothing is noted yet; {@code byShape} tells operations apart by the shapes that they have, too. */
    public TimedKernels(boolean byShape) {
        this.byShape = byShape;
    }

    /** The same kernels, whose operations are timed from now on. */
    public Kernels around(Kernels kernels) {
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                    long begin = System.nanoTime();
                    try {
                        Object result = method.invoke(kernels, arguments);
                        return result instanceof Kernels others ? around(others) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    } finally {
                        note(method, arguments, System.nanoTime() - begin);
                    }
                });
    }

    /** Whether what follows is noted; true at first. */
    public void count(boolean value) {
        counts = value;
    }

    private void note(Method method, Object[] arguments, long nanos) {
        if (counts) {
            if (method.getName().startsWith("linear")) {
                FrozenWeight w = (FrozenWeight) arguments[1];
                long size = ((INDArray) arguments[0]).size(0);
                flops += 2.0 * size * w.rows() * w.columns();
                rows += size;
                products++;
            }
            Cost cost = costs.computeIfAbsent(byShape ? shapes(method, arguments) : method.getName(),
                    key -> new Cost());
            cost.calls++;
            cost.nanos += nanos;
        }
    }

    private static String shapes(Method method, Object... arguments) {
        StringBuilder name = new StringBuilder(method.getName());
        for (Object argument : arguments == null ? new Object[0] : arguments) {
            if (argument instanceof INDArray array) {
                name.append(' ').append(array.dataType().name().charAt(0))
                        .append(Arrays.toString(array.shape()).replace(" ", ""));
            } else if (argument instanceof Boolean flag) {
                name.append(flag ? " +" : " -");
            }
        }
        return name.toString();
    }

    /** Forgets what was noted. */
    public void reset() {
        costs.clear();
        flops = 0;
        rows = 0;
        products = 0;
    }

    /** Floating-point operations of all products with frozen weights. */
    public double flops() {
        return flops;
    }

    /** The tokens that a product with a frozen weight computes at once, their mean; 0 where there was none. */
    public double rows() {
        return products == 0 ? 0 : (double) rows / products;
    }

    /** Seconds of all calls of a part's operations. */
    public double seconds(Part part) {
        return costs.entrySet().stream().filter(entry -> part.operations.contains(entry.getKey().split(" ")[0]))
                .mapToLong(entry -> entry.getValue().nanos).sum() / 1e9;
    }

    /** A table of the costs of one step, the largest first. */
    public String report(int steps) {
        StringBuilder table = new StringBuilder();
        costs.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Cost> e) -> e.getValue().nanos).reversed())
                .forEach(e -> table.append(String.format("%-110s %8.2f ms %6d calls %9.1f us%n", e.getKey(),
                        e.getValue().nanos / 1e6 / steps, e.getValue().calls / steps,
                        e.getValue().nanos / 1e3 / e.getValue().calls)));
        return table.toString();
    }
}
