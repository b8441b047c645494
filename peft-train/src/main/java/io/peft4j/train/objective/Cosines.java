package io.peft4j.train.objective;

/** The vectors of a batch, one a row, with their cosines. */
final class Cosines {
    /** PyTorch's bound on a length that is divided by. */
    private static final double SMALLEST = 1e-12;

    private final float[] values;
    private final int columns;
    private final double[] lengths;

    Cosines(float[] values, int columns, int rows) {
        this.values = values;
        this.columns = columns;
        this.lengths = new double[rows];
        for (int i = 0; i < rows; i++) {
            lengths[i] = Math.max(SMALLEST, Math.sqrt(product(i, i)));
        }
    }

    private double product(int a, int b) {
        double sum = 0;
        for (int i = 0; i < columns; i++) {
            sum += (double) values[a * columns + i] * values[b * columns + i];
        }
        return sum;
    }

    double cosine(int a, int b) {
        return product(a, b) / (lengths[a] * lengths[b]);
    }

    /** Adds {@code factor} times the gradient of the cosine: {@code (b / |b| - cosine * a / |a|) / |a|} for a. */
    void addGradients(int a, int b, double factor, double[] gradient) {
        double cosine = cosine(a, b);
        for (int i = 0; i < columns; i++) {
            double x = values[a * columns + i] / lengths[a];
            double y = values[b * columns + i] / lengths[b];
            gradient[a * columns + i] += factor * (y - cosine * x) / lengths[a];
            gradient[b * columns + i] += factor * (x - cosine * y) / lengths[b];
        }
    }
}
