package io.peft4j.benchmarks;

import java.util.Arrays;
import java.util.List;

/**
 * {@link AdapterCostBenchmark} with its models in one process and their updates in turn: on a machine whose speed
 * changes from minute to minute only neighbours can be compared. Prints the median of the ratios to the first with its
 * quartiles. Arguments: {@code f32} or {@code bf16}, how often all are timed, and the adapters.
 */
public final class AdapterCostPairs {
    private static final int WARM_UP = 2;

    private AdapterCostPairs() {
    }

    /** Runs the program. */
    public static void main(String[] args) throws Exception {
        KernelState state = new KernelState();
        state.kernels = "best";
        state.dtype = args[0];
        state.open();
        List<String> adapters = List.of(args).subList(2, args.length);
        List<AdapterCostBenchmark> benchmarks = adapters.stream().map(adapter -> {
            AdapterCostBenchmark benchmark = new AdapterCostBenchmark();
            benchmark.adapter = adapter;
            benchmark.model(state);
            return benchmark;
        }).toList();
        int rounds = Integer.parseInt(args[1]);
        double[][] millis = new double[adapters.size()][rounds];
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
            System.out.printf("%s: median %.0f ms%n", adapters.get(i), quantile(millis[i], 0.5));
        }
        for (int i = 1; i < millis.length; i++) {
            double[] ratios = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                ratios[round] = millis[i][round] / millis[0][round];
            }
            System.out.printf("%s / %s: %.3f (quartiles %.3f, %.3f)%n", adapters.get(i), adapters.get(0),
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
