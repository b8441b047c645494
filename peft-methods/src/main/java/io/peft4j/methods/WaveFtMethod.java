package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.random.TorchRandom;
import java.util.List;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/** WaveFT; {@link WaveFtConfig} says what it computes. */
@Internal
public final class WaveFtMethod extends ConfiguredMethod<WaveFtConfig> {
    @Override
    protected Adapter adapter(WaveFtConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> numbers = config.proportional() ? inProportion(targets.slots(), config.frequencies())
                : targets.values(new PathPatterns<>("n_frequency_pattern", config.frequencyPattern()),
                        config.frequencies());
        WaveFtConfig stored = config.toBuilder().fanInFanOut(targets.areStoredTransposed(config.fanInFanOut()))
                .build();
        return targets.adapter(stored, slot -> layer(setup, slot, config, numbers.apply(slot)));
    }

    private static long elements(Slot slot) {
        Linear linear = (Linear) slot.layer();
        return (long) linear.outFeatures() * linear.inFeatures();
    }

    /** As Python rounds. */
    private static Function<Slot, Integer> inProportion(List<Slot> slots, int frequencies) {
        double all = slots.stream().mapToLong(WaveFtMethod::elements).sum();
        return slot -> Math.max(1, (int) Math.rint(elements(slot) / all * ((double) frequencies * slots.size())));
    }

    private static AdapterLayer layer(AdapterSetup setup, Slot slot, WaveFtConfig config, int frequencies) {
        Linear linear = (Linear) slot.layer();
        int out = linear.outFeatures();
        int in = linear.inFeatures();
        if (frequencies > elements(slot)) {
            throw new ConfigurationException("n_frequency is " + frequencies + ", and the weight of " + slot.path()
                    + " has " + elements(slot) + " elements; use fewer");
        }
        AdapterTensor spectrum = setup.tensor(slot, "waveft_spectrum",
                config.initWeights() ? Initializer.ZEROS : Initializer.normal(0.01), frequencies);
        int[] places = new TorchRandom(config.seed()).permutation(Math.multiplyExact(out, in), frequencies);
        return new ParameterDelta(setup, slot, spectrum, config.transformed()
                ? new WaveletDelta(out, in, places, Wavelets.FILTERS.get(config.wavelet()), config.scaling())
                : new ScatteredDelta(out, in, frequencies, i -> places[i], i -> i, config.scaling()));
    }

    /**
     * One level of an inverse two-dimensional wavelet transform of a matrix with few coefficients c_i, times s: D [M,
     * N].
     *
     * <p>The matrix of the coefficients lies in the middle of one that is larger by L - 2 on each side, made even; its
     * quarters are approximation and details in columns, rows and both. The coefficient at (p, q) of a quarter adds
     * {@code c f[a] g[b]} to the element (2 p + a, 2 q + b) of the transform, f and g the low- or high-pass filter of
     * length L; D is the middle of that. Gradients: the same sums back.
     */
    private static final class WaveletDelta implements ParameterDelta.Delta {
        private final int rows;
        private final int columns;
        private final double[][] filters;
        private final double scaling;
        /** For each coefficient where its first product goes, which may be outside of D, and in which half it lies. */
        private final int[][] row;
        private final int[][] column;

        /**
         * A transform.
         *
         * @param places {@code u N + v} of each coefficient
         * @param low the low-pass filter of reconstruction
         */
        WaveletDelta(int rows, int columns, int[] places, double[] low, double scaling) {
            this.rows = rows;
            this.columns = columns;
            this.scaling = scaling;
            double[] high = new double[low.length];
            for (int i = 0; i < high.length; i++) {
                high[i] = (i % 2 == 0 ? 1 : -1) * low[low.length - 1 - i];
            }
            this.filters = new double[][] {low, high};
            this.row = new int[places.length][];
            this.column = new int[places.length][];
            for (int i = 0; i < places.length; i++) {
                row[i] = target(places[i] / columns, rows);
                column[i] = target(places[i] % columns, columns);
            }
        }

        /** The place of a coefficient on a side of a length, and in which half it lies. */
        private int[] target(int place, int length) {
            int taps = filters[0].length;
            int padded = length + taps - 2;
            padded += padded % 2;
            int shifted = place + (padded - length) / 2;
            int half = shifted < padded / 2 ? 0 : 1;
            int cut = (2 * taps - 3) / 2;
            int whole = padded - 2 + taps - 2 * cut;
            return new int[] {2 * (shifted - half * padded / 2) - cut - (whole - length) / 2, half};
        }

        /** Is given an element of D and a coefficient's factor at it. */
        private interface Term {
            void at(int element, double factor);
        }

        private void terms(int i, Term term) {
            // The right half is of details in rows, the lower half of details in columns.
            double[] down = filters[column[i][1]];
            double[] across = filters[row[i][1]];
            for (int a = 0; a < down.length; a++) {
                int m = row[i][0] + a;
                for (int b = 0; b < across.length && m >= 0 && m < rows; b++) {
                    int n = column[i][0] + b;
                    if (n >= 0 && n < columns) {
                        term.at(m * columns + n, scaling * down[a] * across[b]);
                    }
                }
            }
        }

        @Override
        public Variable on(Tape tape, Variable parameters) {
            float[] c = Arrays.toFloats(parameters.value());
            double[] sums = new double[rows * columns];
            for (int i = 0; i < c.length; i++) {
                float coefficient = c[i];
                terms(i, (element, factor) -> sums[element] += coefficient * factor);
            }
            INDArray d = tape.allocateFloat(rows, columns);
            Arrays.write(d, 0, Arrays.floats(sums), 0, sums.length);
            return tape.record(d, (out, dy) -> parameters.addGradient((gradient, accumulate) -> {
                float[] g = Arrays.toFloats(dy);
                double[] dc = new double[row.length];
                for (int i = 0; i < dc.length; i++) {
                    int number = i;
                    terms(i, (element, factor) -> dc[number] += g[element] * factor);
                }
                HeapRows.write(gradient, dc, accumulate);
            }), List.of(parameters));
        }
    }
}
