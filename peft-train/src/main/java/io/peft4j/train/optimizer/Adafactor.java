package io.peft4j.train.optimizer;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.train.optimizer.ParameterUpdate.UpdateStep;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Adafactor (Adaptive Learning Rates with Sublinear Memory Cost, <a
 * href="https://arxiv.org/abs/1804.04235">1804.04235</a>) as Hugging Face Transformers computes it with a learning rate
 * from outside ({@code relative_step} off). Of a matrix [R, C] only the means of the squared gradients over its rows
 * and over its columns are kept, with {@code b = 1 - t^decayRate}: {@code row = b row + (1 - b) mean(g^2 + 1e-30)}, and
 * {@code col} alike; {@code u = g / sqrt(row col / mean(row))}, divided by its root mean square where that is above
 * {@code clipThreshold}; {@code p -= lr * wd * p; p -= lr * u}. Of a vector all squares are kept.
 *
 * @param decayRate exponent of the step in the decay of the squares; default -0.8
 * @param clipThreshold the largest root mean square of an update before the learning rate; default 1
 * @param scaleParameter whether the learning rate is multiplied by the root mean square of the parameter, at least
 *     1e-3; default false
 */
public record Adafactor(double decayRate, double clipThreshold, boolean scaleParameter) implements Optimizer {
    /** The defaults. */
    public static final Adafactor DEFAULT = new Adafactor(-0.8, 1, false);

    /**
     * Checks the ranges.
     *
     * @throws ConfigurationException when the decay rate is not from -1 to below 0, or the threshold not above 0
     */
    public Adafactor {
        if (!(decayRate >= -1 && decayRate < 0)) {
            throw new ConfigurationException("the decay rate of Adafactor is " + decayRate
                    + "; it must be from -1 to below 0");
        }
        if (!(clipThreshold > 0)) {
            throw new ConfigurationException("the clip threshold of Adafactor is " + clipThreshold
                    + "; it must be above 0");
        }
    }

    @Internal
    @Override
    public ParameterUpdate of(Parameter parameter) {
        return new AdafactorUpdate(this, parameter);
    }

    /**
     * Adafactor of one parameter: of a matrix, or of each of the matrices that an array of more dimensions is made of,
     * rows and columns; of a vector all values. Sums are in double.
     */
    private static final class AdafactorUpdate implements ParameterUpdate {
        private static final double EPSILON = 1e-30;
        private static final double SMALLEST_SCALE = 1e-3;

        private final Adafactor numbers;
        private final Parameter parameter;
        private final Map<String, INDArray> arrays = new LinkedHashMap<>();
        private final int rows;
        private final int columns;

        AdafactorUpdate(Adafactor numbers, Parameter parameter) {
            this.numbers = numbers;
            this.parameter = parameter;
            long[] shape = parameter.value().shape();
            this.rows = shape.length < 2 ? 1 : Math.toIntExact(shape[shape.length - 2]);
            this.columns = Math.toIntExact(shape[shape.length - 1]);
            try (Closer opened = new Closer()) {
                opened.add(this);
                if (shape.length < 2) {
                    arrays.put("exp_avg_sq", Arrays.zeros(DataType.FLOAT, shape));
                } else {
                    long matrices = parameter.length() / rows / columns;
                    arrays.put("exp_avg_sq_row", Arrays.zeros(DataType.FLOAT, matrices * rows));
                    arrays.put("exp_avg_sq_col", Arrays.zeros(DataType.FLOAT, matrices * columns));
                }
                opened.keep();
            }
        }

        @Override
        public void apply(Kernels kernels, UpdateStep step) {
            float[] p = Arrays.toFloats(parameter.value());
            float[] g = Arrays.toFloats(parameter.gradient());
            for (int i = 0; i < g.length; i++) {
                g[i] *= (float) step.gradientScale();
            }
            double rate = step.learningRate()
                    * (numbers.scaleParameter() ? Math.max(SMALLEST_SCALE, rootMeanSquare(p)) : 1);
            double kept = 1 - Math.pow(step.number(), numbers.decayRate());
            double[] update = arrays.size() == 1 ? ofVector(g, kept) : ofMatrices(g, kept);
            double sum = 0;
            for (double value : update) {
                sum += value * value;
            }
            double scale = rate / Math.max(1, Math.sqrt(sum / update.length) / numbers.clipThreshold());
            for (int i = 0; i < p.length; i++) {
                p[i] = (float) (p[i] - step.weightDecay() * rate * p[i] - scale * update[i]);
            }
            Arrays.write(parameter.value(), 0, p, 0, p.length);
        }

        private static double rootMeanSquare(float[] values) {
            double sum = 0;
            for (float value : values) {
                sum += (double) value * value;
            }
            return Math.sqrt(sum / values.length);
        }

        private double[] ofVector(float[] g, double kept) {
            INDArray array = arrays.get("exp_avg_sq");
            float[] squares = Arrays.toFloats(array);
            double[] update = new double[g.length];
            for (int i = 0; i < g.length; i++) {
                squares[i] = (float) (kept * squares[i] + (1 - kept) * ((double) g[i] * g[i] + EPSILON));
                update[i] = g[i] / Math.sqrt(squares[i]);
            }
            Arrays.write(array, 0, squares, 0, squares.length);
            return update;
        }

        private double[] ofMatrices(float[] g, double kept) {
            float[] row = Arrays.toFloats(arrays.get("exp_avg_sq_row"));
            float[] column = Arrays.toFloats(arrays.get("exp_avg_sq_col"));
            double[] update = new double[g.length];
            for (int matrix = 0; matrix < g.length / rows / columns; matrix++) {
                takeIn(g, matrix, kept, row, column);
                double mean = 0;
                for (int i = 0; i < rows; i++) {
                    mean += row[matrix * rows + i] / (double) rows;
                }
                for (int i = 0; i < rows; i++) {
                    double ofRow = 1 / Math.sqrt(row[matrix * rows + i] / mean);
                    for (int j = 0; j < columns; j++) {
                        int at = (matrix * rows + i) * columns + j;
                        update[at] = g[at] * ofRow / Math.sqrt(column[matrix * columns + j]);
                    }
                }
            }
            Arrays.write(arrays.get("exp_avg_sq_row"), 0, row, 0, row.length);
            Arrays.write(arrays.get("exp_avg_sq_col"), 0, column, 0, column.length);
            return update;
        }

        private void takeIn(float[] g, int matrix, double kept, float[] row, float[] column) {
            double[] ofRows = new double[rows];
            double[] ofColumns = new double[columns];
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    double value = g[(matrix * rows + i) * columns + j];
                    ofRows[i] += value * value + EPSILON;
                    ofColumns[j] += value * value + EPSILON;
                }
            }
            average(ofRows, columns, kept, row, matrix * rows);
            average(ofColumns, rows, kept, column, matrix * columns);
        }

        private static void average(double[] sums, int count, double kept, float[] target, int first) {
            for (int i = 0; i < sums.length; i++) {
                target[first + i] = (float) (kept * target[first + i] + (1 - kept) * sums[i] / count);
            }
        }

        @Override
        public Map<String, INDArray> arrays() {
            return arrays;
        }
    }
}
