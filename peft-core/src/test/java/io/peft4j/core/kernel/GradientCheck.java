package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.function.DoubleSupplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Compares a gradient with central differences, element by element; without -Pfull some elements of each array. */
public final class GradientCheck {
    /**
     * A step large enough that the roundings of f32 (6e-8 of the result) stay below 1e-5 of the difference, small
     * enough that the third derivative of a smooth function of numbers around 1 adds less than 1e-4.
     */
    private static final float STEP = 1e-2f;

    /** How many elements of an array are compared where a build leaves out what repeats a claim. */
    private static final int SOME = 8;
    private static final boolean ALL = !System.getProperty("test.excluded", "").contains("full");

    private GradientCheck() {
    }

    /**
     * Fails where {@code gradient[i]} is not the derivative of {@code loss} for element i of {@code x}.
     *
     * @param x a FLOAT array that the loss is computed from; its elements are changed and put back
     * @param tolerance allowed error, relative to the derivative plus the root mean square of all derivatives
     */
    public static void check(String what, INDArray x, float[] gradient, DoubleSupplier loss, double tolerance) {
        float[] numeric = gradient.clone();
        float[] element = new float[1];
        // Odd, so that all columns have their turn.
        int step = ALL ? 1 : gradient.length / SOME | 1;
        for (int i = 0; i < gradient.length; i += step) {
            Arrays.read(x, i, element, 0, 1);
            float value = element[0];
            float above = value + STEP;
            float below = value - STEP;
            double difference = lossWith(x, i, above, loss) - lossWith(x, i, below, loss);
            numeric[i] = (float) (difference / ((double) above - below));
            Arrays.write(x, i, new float[] {value}, 0, 1);
        }
        KernelCase.assertClose("gradient of " + what, numeric, gradient, tolerance);
    }

    private static double lossWith(INDArray x, int index, float value, DoubleSupplier loss) {
        Arrays.write(x, index, new float[] {value}, 0, 1);
        return loss.getAsDouble();
    }

    /** A loss with a known gradient: the sum of {@code weights[i] * y[i]}. */
    public static double project(INDArray y, float[] weights) {
        float[] values = Arrays.toFloats(y);
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += (double) values[i] * weights[i];
        }
        return sum;
    }
}
