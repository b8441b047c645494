package io.peft4j.methods;

/**
 * Daubechies' wavelets of extremal phase (<a href="https://doi.org/10.1002/cpa.3160410705">1988</a>).
 *
 * <p>The low-pass filter of 2 N taps is, as a polynomial in x, {@code (1 + x)^N} times {@code 1 - z x} for each z
 * within the unit circle with {@code z + 1 / z = 2 - 4 y}, y a root of the sum of {@code C(N - 1 + k, k) y^k}, k below
 * N; scaled to the sum sqrt(2).
 */
final class Daubechies {
    private static final int ROUNDS = 200;

    private Daubechies() {
    }

    /** A complex number. */
    private record Complex(double re, double im) {
        Complex plus(Complex other) {
            return new Complex(re + other.re, im + other.im);
        }

        Complex times(Complex other) {
            return new Complex(re * other.re - im * other.im, re * other.im + im * other.re);
        }

        Complex times(double factor) {
            return new Complex(re * factor, im * factor);
        }

        Complex over(Complex other) {
            return times(new Complex(other.re, -other.im)).times(1 / other.square());
        }

        double square() {
            return re * re + im * im;
        }

        Complex root() {
            double size = Math.sqrt(square());
            return new Complex(Math.sqrt((size + re) / 2), Math.copySign(Math.sqrt(Math.max(0, size - re) / 2), im));
        }
    }

    /** The low-pass filter of reconstruction with 2 n taps. */
    static double[] filter(int n) {
        Complex[] polynomial = {new Complex(1, 0)};
        for (int i = 0; i < n; i++) {
            polynomial = timesLinear(polynomial, new Complex(1, 0));
        }
        for (Complex y : roots(n)) {
            Complex half = new Complex(1 - 2 * y.re(), -2 * y.im());
            Complex root = half.times(half).plus(new Complex(-1, 0)).root();
            Complex z = half.plus(root);
            polynomial = timesLinear(polynomial, (z.square() < 1 ? z : half.plus(root.times(-1))).times(-1));
        }
        double sum = 0;
        for (Complex coefficient : polynomial) {
            sum += coefficient.re();
        }
        double[] filter = new double[2 * n];
        for (int i = 0; i < filter.length; i++) {
            filter[i] = polynomial[i].re() * Math.sqrt(2) / sum;
        }
        return filter;
    }

    /** Times {@code 1 + factor x}. */
    private static Complex[] timesLinear(Complex[] polynomial, Complex factor) {
        Complex[] product = new Complex[polynomial.length + 1];
        java.util.Arrays.fill(product, new Complex(0, 0));
        for (int i = 0; i < polynomial.length; i++) {
            product[i] = product[i].plus(polynomial[i]);
            product[i + 1] = product[i + 1].plus(polynomial[i].times(factor));
        }
        return product;
    }

    /** The n - 1 roots, by Durand and Kerner. */
    private static Complex[] roots(int n) {
        double[] coefficients = new double[n];
        coefficients[0] = 1;
        for (int k = 1; k < n; k++) {
            coefficients[k] = coefficients[k - 1] * (n - 1 + k) / k;
        }
        Complex[] roots = new Complex[n - 1];
        for (int i = 0; i < roots.length; i++) {
            roots[i] = new Complex(Math.cos(2 * Math.PI * i / roots.length + 0.4),
                    Math.sin(2 * Math.PI * i / roots.length + 0.4)).times(0.5);
        }
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < roots.length; i++) {
                Complex value = new Complex(0, 0);
                for (int k = n - 1; k >= 0; k--) {
                    value = value.times(roots[i]).plus(new Complex(coefficients[k] / coefficients[n - 1], 0));
                }
                for (int j = 0; j < roots.length; j++) {
                    value = j == i ? value : value.over(roots[i].plus(roots[j].times(-1)));
                }
                roots[i] = roots[i].plus(value.times(-1));
            }
        }
        return roots;
    }
}
