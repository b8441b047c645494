package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.methods.FastFourier.Values;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The real part of an inverse two-dimensional Fourier transform of few coefficients c_f at the frequencies (u_f, v_f):
 * {@code D[p, q] = s / (M N) * sum over f of c_f cos(2 pi (u_f p / M + v_f q / N))}, D [M, N].
 *
 * <p>{@code D = F_M S F_N} with the matrices F of the discrete Fourier transforms and S of few elements:
 * {@code s / (2 M N) c_f} at (u_f, v_f) and at (-u_f, -v_f). So rows are multiplied with D, or with its transpose, by a
 * fast transform, a few multiplications and another transform. D is real: two rows are one sequence of complex numbers.
 */
final class FourierDelta implements ParameterDelta.Delta {
    /** Rows that are transformed at a time, whatever the number of threads. */
    private static final int PIECE = 64;
    /** Numbers of a row that are moved at a time: what is written to stays in the cache. */
    private static final int CACHED = 16;

    private final Side out;
    private final Side in;
    private final double factor;

    /** The frequencies of one side, and their negatives. */
    private record Side(int length, FastFourier transform, int[] numbers, int[] negatives) {
        static Side of(int length, IntStream frequencies) {
            int[] numbers = frequencies.toArray();
            return new Side(length, new FastFourier(length), numbers,
                    IntStream.of(numbers).map(number -> (length - number) % length).toArray());
        }
    }

    /**
     * A transform.
     *
     * @param places {@code u_f N + v_f} of each coefficient
     * @param scaling s
     */
    FourierDelta(int rows, int columns, int[] places, double scaling) {
        this.out = Side.of(rows, IntStream.of(places).map(place -> place / columns));
        this.in = Side.of(columns, IntStream.of(places).map(place -> place % columns));
        this.factor = scaling / (2.0 * rows * columns);
    }

    /** D without gradient: what trains goes through {@link #product}. */
    @Override
    public Variable on(Tape tape, Variable parameters) {
        INDArray d = tape.allocateFloat(out.length, in.length);
        float[] elements = elements(parameters.value());
        forPieces(out.length, (work, piece, from, count) -> {
            float[] units = new float[count * out.length];
            for (int i = 0; i < count; i++) {
                units[i * out.length + from + i] = 1;
            }
            work.transform(out, units, count);
            HeapRows.write(d, from, work.multiplied(out, in, elements, count), false);
        });
        return tape.record(d, (output, dy) -> {
        }, List.of());
    }

    /** {@code y = x D^T}: x [N, in], y [N, out]. Gradients: {@code dx = dy D}, and those of the coefficients. */
    Variable product(Tape tape, Variable x, Variable parameters) {
        INDArray y = tape.allocate(x.rows(), out.length);
        float[] elements = elements(parameters.value());
        INDArray values = x.value();
        forPieces(x.rows(), (work, piece, from, count) -> {
            work.transform(in, HeapRows.read(values, from, count), count);
            HeapRows.write(y, from, work.multiplied(in, out, elements, count), false);
        });
        return tape.record(y, (output, dy) -> {
            double[][] sums = new double[pieces(x.rows())][elements.length];
            INDArray input = x.value();
            Task sum = (work, piece, from, count) -> {
                if (parameters.requiresGradient()) {
                    work.addGradients(HeapRows.read(input, from, count), count, sums[piece]);
                }
            };
            if (x.requiresGradient()) {
                x.addGradient((dx, accumulate) -> forPieces(x.rows(), (work, piece, from, count) -> {
                    work.transform(out, HeapRows.read(dy, from, count), count);
                    HeapRows.write(dx, from, work.multiplied(out, in, elements, count), accumulate);
                    sum.run(work, piece, from, count);
                }));
            } else {
                forPieces(x.rows(), (work, piece, from, count) -> {
                    work.transform(out, HeapRows.read(dy, from, count), count);
                    sum.run(work, piece, from, count);
                });
            }
            parameters.addGradient((gradient, accumulate) -> HeapRows.write(gradient,
                    HeapRows.sum(sums, elements.length), accumulate));
        }, List.of(x, parameters));
    }

    /** The elements of S. */
    private float[] elements(INDArray parameters) {
        float[] elements = Arrays.toFloats(parameters);
        for (int f = 0; f < elements.length; f++) {
            elements[f] = (float) (factor * elements[f]);
        }
        return elements;
    }

    /** Work on some rows. */
    @FunctionalInterface
    private interface Task {
        void run(Work work, int piece, int from, int count);
    }

    private static int pieces(int rows) {
        return (rows + PIECE - 1) / PIECE;
    }

    private void forPieces(int rows, Task task) {
        Queue<Work> idle = new ConcurrentLinkedQueue<>();
        IntStream.range(0, pieces(rows)).parallel().forEach(piece -> {
            Work known = idle.poll();
            Work work = known == null ? new Work(lanes(Math.min(PIECE, rows))) : known;
            task.run(work, piece, piece * PIECE, Math.min(PIECE, rows - piece * PIECE));
            idle.add(work);
        });
    }

    private static int lanes(int rows) {
        return (rows + 1) / 2;
    }

    /** The memory of one thread, and what it does. */
    private final class Work {
        /** After {@link #transform} what it computed. */
        private Values spectrum;
        private Values second;
        private final Values third;

        Work(int lanes) {
            int most = Math.max(out.length, in.length) * lanes;
            this.spectrum = Values.of(most);
            this.second = Values.of(most);
            this.third = Values.of(most);
        }

        void transform(Side side, float[] rows, int count) {
            gather(rows, side.length, count, spectrum);
            Values result = side.transform.transform(spectrum, second, lanes(count));
            second = result == spectrum ? second : spectrum;
            spectrum = result;
        }

        /** The rows whose spectrum this is, times D or its transpose. */
        float[] multiplied(Side from, Side to, float[] elements, int count) {
            int lanes = lanes(count);
            second.clear(to.length * lanes);
            for (int f = 0; f < elements.length; f++) {
                add(from.numbers[f] * lanes, to.numbers[f] * lanes, lanes, elements[f]);
                add(from.negatives[f] * lanes, to.negatives[f] * lanes, lanes, elements[f]);
            }
            return scattered(to.transform.transform(second, third, lanes), to.length, count);
        }

        private void add(int from, int to, int lanes, float element) {
            for (int t = 0; t < lanes; t++) {
                second.real()[to + t] += element * spectrum.real()[from + t];
                second.imaginary()[to + t] += element * spectrum.imaginary()[from + t];
            }
        }

        /** Adds the gradients of the coefficients of some rows of x, where the spectrum is that of dy. */
        void addGradients(float[] x, int count, double[] sums) {
            int lanes = lanes(count);
            gather(x, in.length, count, second);
            Values xs = in.transform.transform(second, third, lanes);
            for (int f = 0; f < sums.length; f++) {
                sums[f] = factor * ((double) product(xs, in.negatives[f] * lanes, out.numbers[f] * lanes, lanes)
                        + product(xs, in.numbers[f] * lanes, out.negatives[f] * lanes, lanes));
            }
        }

        private float product(Values xs, int x, int dy, int lanes) {
            float real = 0;
            float imaginary = 0;
            for (int t = 0; t < lanes; t++) {
                real += xs.real()[x + t] * spectrum.real()[dy + t];
                imaginary += xs.imaginary()[x + t] * spectrum.imaginary()[dy + t];
            }
            return real + imaginary;
        }
    }

    /** Two rows as one sequence, side by side with the others. */
    private static void gather(float[] rows, int length, int count, Values values) {
        int lanes = lanes(count);
        for (int first = 0; first < length; first += CACHED) {
            int last = Math.min(length, first + CACHED);
            for (int t = 0; t < lanes; t++) {
                int row = 2 * t * length;
                boolean single = 2 * t + 1 == count;
                for (int n = first; n < last; n++) {
                    values.real()[n * lanes + t] = rows[row + n];
                    values.imaginary()[n * lanes + t] = single ? 0 : rows[row + length + n];
                }
            }
        }
    }

    private static float[] scattered(Values values, int length, int count) {
        float[] rows = new float[count * length];
        int lanes = lanes(count);
        for (int first = 0; first < length; first += CACHED) {
            int last = Math.min(length, first + CACHED);
            for (int t = 0; t < lanes; t++) {
                int row = 2 * t * length;
                for (int n = first; n < last; n++) {
                    rows[row + n] = values.real()[n * lanes + t];
                }
                for (int n = first; n < last && 2 * t + 1 < count; n++) {
                    rows[row + length + n] = values.imaginary()[n * lanes + t];
                }
            }
        }
        return rows;
    }
}
