package io.peft4j.dl4j;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A weight, or its gradient, as a matrix W [in, out]; in memory [in, out] or [out, in], in f order, which is what BLAS
 * writes to.
 *
 * @param array the matrix in memory
 * @param outputsFirst whether that is [out, in]
 */
record WeightMatrix(INDArray array, boolean outputsFirst) {
    /** W += s A^T B^T with A [r, in] and B [out, r]. */
    void addProduct(INDArray a, INDArray b, double s) {
        if (outputsFirst) {
            Nd4j.gemm(b, a, array, false, false, s, 1);
        } else {
            Nd4j.gemm(a, b, array, true, true, s, 1);
        }
    }

    /** dA = s B^T dW^T, where this is dW. */
    void gradientOfA(INDArray b, INDArray da, double s) {
        Nd4j.gemm(b, array, da, true, !outputsFirst, s, 0);
    }

    /** dB = s dW^T A^T, where this is dW. */
    void gradientOfB(INDArray a, INDArray db, double s) {
        Nd4j.gemm(array, a, db, !outputsFirst, true, s, 0);
    }

    /** Multiplies each output, {@code W[i, j] *= factors[j]}. */
    void scaleOutputs(INDArray factors) {
        scale(factors, outputsFirst);
    }

    /** Multiplies each input, {@code W[i, j] *= factors[i]}. */
    void scaleInputs(INDArray factors) {
        scale(factors, !outputsFirst);
    }

    private void scale(INDArray factors, boolean rows) {
        if (rows) {
            array.muliColumnVector(factors.reshape(factors.length(), 1));
        } else {
            array.muliRowVector(factors.reshape(1, factors.length()));
        }
    }

    /** {@code result[i, j] = this[i, j] * factors[j]}. */
    void timesOutputs(INDArray factors, WeightMatrix result) {
        result.array.assign(array);
        result.scaleOutputs(factors);
    }

    /** {@code sum_i this[i, j] * other[i, j]} for each output j, [out]. */
    INDArray sumOverInputs(WeightMatrix other) {
        return array.mul(other.array).sum(outputsFirst ? 1 : 0);
    }

    /** {@code sum_j this[i, j] * other[i, j]} for each input i, [in]. */
    INDArray sumOverOutputs(WeightMatrix other) {
        return array.mul(other.array).sum(outputsFirst ? 0 : 1);
    }

    /** The length of the weights of each output, [out]. */
    INDArray lengths() {
        return array.norm2(outputsFirst ? 1 : 0);
    }

    /** Another matrix of this size with undefined values. */
    WeightMatrix another() {
        return new WeightMatrix(Nd4j.createUninitialized(array.dataType(), array.shape(), 'f'), outputsFirst);
    }
}
