package io.peft4j.benchmarks;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.FrozenWeight;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Kernels that note the time of each operation, by name and shapes: where a step's time goes. */
final class TimedKernels {
    private static final class Cost {
        long calls;
        long nanos;
    }

    private final Map<String, Cost> costs = new TreeMap<>();
    private final Kernels timed;
    private double flops;

    TimedKernels(Kernels kernels) {
        timed = timed(kernels);
    }

    private Kernels timed(Kernels kernels) {
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                    long begin = System.nanoTime();
                    try {
                        Object result = method.invoke(kernels, arguments);
                        return result instanceof Kernels others ? timed(others) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    } finally {
                        note(method, arguments, System.nanoTime() - begin);
                    }
                });
    }

    /** The kernels whose operations are timed. */
    Kernels kernels() {
        return timed;
    }

    private void note(Method method, Object[] arguments, long nanos) {
        if (method.getName().startsWith("linear")) {
            FrozenWeight w = (FrozenWeight) arguments[1];
            flops += 2.0 * ((INDArray) arguments[0]).size(0) * w.rows() * w.columns();
        }
        StringBuilder name = new StringBuilder(method.getName());
        if (arguments != null) {
            for (Object argument : arguments) {
                if (argument instanceof INDArray array) {
                    name.append(' ').append(array.dataType().name().charAt(0))
                            .append(java.util.Arrays.toString(array.shape()).replace(" ", ""));
                } else if (argument instanceof Boolean flag) {
                    name.append(flag ? " +" : " -");
                }
            }
        }
        Cost cost = costs.computeIfAbsent(name.toString(), key -> new Cost());
        cost.calls++;
        cost.nanos += nanos;
    }

    void reset() {
        costs.clear();
        flops = 0;
    }

    /** Floating-point operations of all products with frozen weights. */
    double flops() {
        return flops;
    }

    /** Seconds of all calls of the operations with these names. */
    double seconds(Collection<String> operations) {
        return costs.entrySet().stream().filter(entry -> operations.contains(entry.getKey().split(" ")[0]))
                .mapToLong(entry -> entry.getValue().nanos).sum() / 1e9;
    }

    /** A table of the costs of one step, the largest first. */
    String report(int steps) {
        StringBuilder table = new StringBuilder();
        Map<String, Cost> byName = new TreeMap<>();
        long total = 0;
        for (Map.Entry<String, Cost> entry : costs.entrySet()) {
            Cost sum = byName.computeIfAbsent(entry.getKey().split(" ")[0], key -> new Cost());
            sum.calls += entry.getValue().calls;
            sum.nanos += entry.getValue().nanos;
            total += entry.getValue().nanos;
        }
        table.append(String.format("%-110s %8.2f ms%n", "all kernels", total / 1e6 / steps));
        append(table, byName, steps);
        table.append(System.lineSeparator());
        append(table, costs, steps);
        return table.toString();
    }

    private static void append(StringBuilder table, Map<String, Cost> costs, int steps) {
        costs.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Cost> e) -> e.getValue().nanos).reversed())
                .forEach(e -> table.append(String.format("%-110s %8.2f ms %6d calls %9.1f us%n", e.getKey(),
                        e.getValue().nanos / 1e6 / steps, e.getValue().calls / steps,
                        e.getValue().nanos / 1e3 / e.getValue().calls)));
    }
}
