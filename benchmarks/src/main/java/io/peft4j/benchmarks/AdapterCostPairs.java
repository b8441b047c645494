package io.peft4j.benchmarks;

import java.util.Arrays;
import java.util.List;

/**
 * {@link AdapterCostBenchmark} with its models in one process and their updates in turn: on a machine whose speed
 * changes from minute to minute only neighbours can be compared. Prints the median of the ratios of neighbours with its
 * quartiles. Arguments: {@code f32} or {@code bf16}, and how often all are timed.
 */
public final class AdapterCostPairs {
    private static final List<String> ADAPTERS = List.of("frozen", "lora", "dora");
    private static final int WARM_UP = 4;

    private AdapterCostPairs() {
    }

    /** Runs the program. */
    public static void main(String[] args) throws Exception {
        KernelState state = new KernelState();
        state.kernels = "best";
        state.dtype = args[0];
        state.open();
        List<AdapterCostBenchmark> benchmarks = ADAPTERS.stream().map(adapter -> {
            AdapterCostBenchmark benchmark = new AdapterCostBenchmark();
            benchmark.adapter = adapter;
            benchmark.model(state);
            return benchmark;
        }).toList();
        int rounds = Integer.parseInt(args[1]);
        double[][] millis = new double[ADAPTERS.size()][rounds];
        for (int round = -WARM_UP; round < rounds; round++) {
            for (int i = 0; i < millis.length; i++) {
                long begin = System.nanoTime();
                benchmarks.get(i).step();
                if (round >= 0) {
                    millis[i][round] = (System.nanoTime() - begin) / 1e6;
                }
            }
        }
        for (int i = 0; i < millis.length; i++) {
            System.out.printf("%s: median %.0f ms%n", ADAPTERS.get(i), quantile(millis[i], 0.5));
        }
        for (int i = 1; i < millis.length; i++) {
            double[] ratios = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                ratios[round] = millis[i][round] / millis[i - 1][round];
            }
            System.out.printf("%s / %s: %.3f (quartiles %.3f, %.3f)%n", ADAPTERS.get(i), ADAPTERS.get(i - 1),
                    quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75));
        }
        benchmarks.forEach(AdapterCostBenchmark::close);
        state.close();
    }

    private static double quantile(double[] values, double share) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(int) (share * (sorted.length - 1))];
    }
}
