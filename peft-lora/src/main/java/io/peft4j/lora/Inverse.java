package io.peft4j.lora;

/** The inverse of a small matrix by Gauss and Jordan, with the largest pivot of each column. */
final class Inverse {
    private Inverse() {
    }

    static double[][] of(double[][] matrix) {
        int n = matrix.length;
        double[][] a = new double[n][2 * n];
        for (int i = 0; i < n; i++) {
            System.arraycopy(matrix[i], 0, a[i], 0, n);
            a[i][n + i] = 1;
        }
        for (int column = 0; column < n; column++) {
            int pivot = column;
            for (int i = column + 1; i < n; i++) {
                pivot = Math.abs(a[i][column]) > Math.abs(a[pivot][column]) ? i : pivot;
            }
            double[] row = a[pivot];
            a[pivot] = a[column];
            a[column] = row;
            double divisor = row[column];
            for (int j = 0; j < 2 * n; j++) {
                row[j] /= divisor;
            }
            eliminate(a, column);
        }
        double[][] inverse = new double[n][];
        for (int i = 0; i < n; i++) {
            inverse[i] = java.util.Arrays.copyOfRange(a[i], n, 2 * n);
        }
        return inverse;
    }

    private static void eliminate(double[][] a, int column) {
        for (int i = 0; i < a.length; i++) {
            double factor = a[i][column];
            for (int j = 0; i != column && j < a[i].length; j++) {
                a[i][j] -= factor * a[column][j];
            }
        }
    }
}
