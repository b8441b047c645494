package io.peft4j.methods;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.methods.FastFourier.Values;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fast transforms, held to the sums that define them. */
class FastFourierTest {
    private static final int LANES = 3;

    /** 896 = 2^7 * 7 is the width of Qwen2.5 0.5B. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 11, 12, 25, 35, 80, 97, 172, 608, 896})
    void transformIsTheSumOfItsDefinition(int length) {
        SplittableRandom random = new SplittableRandom(length);
        Values x = Values.of(length * LANES);
        double[] real = new double[length * LANES];
        double[] imaginary = new double[length * LANES];
        for (int i = 0; i < real.length; i++) {
            real[i] = x.real()[i] = (float) random.nextDouble(-1, 1);
            imaginary[i] = x.imaginary()[i] = (float) random.nextDouble(-1, 1);
        }
        Values result = new FastFourier(length).transform(x, Values.of(length * LANES), LANES);
        // Rounding of f32 grows with the root of the length, as the values do.
        double tolerance = 2e-6 * Math.sqrt(length) + 1e-6;
        for (int k = 0; k < length; k++) {
            for (int lane = 0; lane < LANES; lane++) {
                double sumReal = 0;
                double sumImaginary = 0;
                for (int n = 0; n < length; n++) {
                    double angle = -2 * Math.PI * ((long) k * n % length) / length;
                    double xr = real[n * LANES + lane];
                    double xi = imaginary[n * LANES + lane];
                    sumReal += xr * Math.cos(angle) - xi * Math.sin(angle);
                    sumImaginary += xr * Math.sin(angle) + xi * Math.cos(angle);
                }
                assertEquals(sumReal, result.real()[k * LANES + lane], tolerance, "real part " + k);
                assertEquals(sumImaginary, result.imaginary()[k * LANES + lane], tolerance, "imaginary part " + k);
            }
        }
    }
}
