package io.peft4j.core.kernel;

import io.peft4j.core.weight.FrozenWeight;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Portable kernels for any processor that ND4J runs on: matrix products by the OpenBLAS that ND4J brings, everything
 * else in plain Java loops over heap tiles, which the JIT compiler vectorizes. Computes in f32; other types are
 * converted a tile at a time.
 *
 * <p>The same bits whatever the number of threads. OpenBLAS is set to one thread for the whole process, because these
 * kernels cut products up themselves; ND4J's own products and decompositions run on one thread from then on.
 */
public final class Nd4jKernels implements Kernels {
    private final Workers<Lane> workers;
    private final MatrixProducts products;
    private final ElementwiseLoops elementwise;
    private final RowLoops rows;
    private final BlockAttention attention;

    /**
     * Kernels with their own worker threads and scratch memory.
     *
     * @param threads threads that compute, the calling one among them
     */
    public Nd4jKernels(int threads) {
        Blas.load();
        workers = new Workers<>(threads, "peft4j-kernels", Lane::new, () -> { });
        products = new MatrixProducts(workers);
        elementwise = new ElementwiseLoops(workers);
        rows = new RowLoops(workers);
        attention = new BlockAttention(workers);
    }

    @Override
    public String name() {
        return "nd4j";
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("kernels", name(), "loops", LoopSelection.create().name());
    }

    @Override
    public void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        KernelChecks.linear(x, w, y);
        products.linear(x, w, y, accumulate);
    }

    @Override
    public void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate) {
        KernelChecks.linearBackward(dy, w, dx);
        products.linearBackward(dy, w, dx, accumulate);
    }

    @Override
    public void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate) {
        KernelChecks.matmul(a, transposeA, b, transposeB, c);
        products.matmul(a, transposeA, b, transposeB, c, alpha, accumulate);
    }

    @Override
    public void addBias(INDArray y, INDArray bias) {
        KernelChecks.addBias(y, bias);
        rows.addBias(y, bias);
    }

    @Override
    public void addBiasBackward(INDArray dy, INDArray db, boolean accumulate) {
        KernelChecks.addBiasBackward(dy, db);
        rows.addBiasBackward(dy, db, accumulate);
    }

    @Override
    public void gather(FrozenWeight table, int[] ids, INDArray y) {
        KernelChecks.gather(table, ids, y);
        rows.gather(table, ids, y);
    }

    @Override
    public void gatherRows(INDArray x, int[] chosen, INDArray y) {
        KernelChecks.gatherRows(x, chosen, y);
        rows.gatherRows(x, chosen, y);
    }

    @Override
    public void gatherRowsBackward(INDArray dy, int[] chosen, INDArray dx) {
        KernelChecks.gatherRowsBackward(dy, chosen, dx);
        rows.gatherRowsBackward(dy, chosen, dx);
    }

    @Override
    public void add(INDArray a, INDArray b, INDArray y) {
        KernelChecks.binary("add", a, b, y);
        elementwise.add(a, b, y);
    }

    @Override
    public void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate) {
        KernelChecks.binary("multiply", a, b, y);
        elementwise.multiply(a, b, y, accumulate);
    }

    @Override
    public void scale(INDArray x, float alpha, INDArray y, boolean accumulate) {
        KernelChecks.scale(x, y);
        elementwise.scale(x, alpha, y, accumulate);
    }

    @Override
    public void siluMultiply(INDArray gate, INDArray up, INDArray y) {
        KernelChecks.siluMultiply(gate, up, y);
        elementwise.siluMultiply(gate, up, y);
    }

    @Override
    public void siluMultiplyBackward(INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp) {
        KernelChecks.siluMultiplyBackward(dy, gate, up, dGate, dUp);
        elementwise.siluMultiplyBackward(dy, gate, up, dGate, dUp);
    }

    @Override
    public void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate) {
        KernelChecks.dropout(x, p, y, accumulate);
        elementwise.dropout(x, p, seed, y, accumulate);
    }

    @Override
    public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd) {
        KernelChecks.rmsNorm(x, weight, y, rstd);
        rows.rmsNorm(x, weight, epsilon, y, rstd);
    }

    @Override
    public void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx,
            boolean accumulate) {
        KernelChecks.rmsNormBackward(dy, x, weight, rstd, dx);
        rows.rmsNormBackward(dy, x, weight, rstd, dx, accumulate);
    }

    @Override
    public void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw) {
        KernelChecks.rmsNormWeightBackward(dy, x, rstd, dw);
        rows.rmsNormWeightBackward(dy, x, rstd, dw);
    }

    @Override
    public void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse) {
        KernelChecks.rotary(x, headSize, table, positions);
        rows.rotary(x, headSize, table, positions, inverse);
    }

    @Override
    public void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            INDArray out, INDArray lse) {
        KernelChecks.attention(q, k, v, layout, shape, out, lse);
        attention.forward(q, k, v, layout, shape, out, lse);
    }

    @Override
    public void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, INDArray dq, INDArray dk, INDArray dv) {
        KernelChecks.attentionBackward(dOut, q, k, v, out, lse, layout, shape, dq, dk, dv);
        attention.backward(dOut, q, k, v, lse, layout, shape, dq, dk, dv);
    }

    @Override
    public void crossEntropy(INDArray logits, int[] targets, float[] nll) {
        KernelChecks.crossEntropy(logits, targets, nll);
        rows.crossEntropy(logits, targets, nll);
    }

    @Override
    public void crossEntropyBackward(INDArray logits, int[] targets, float[] weights) {
        KernelChecks.crossEntropy(logits, targets, weights);
        rows.crossEntropyBackward(logits, targets, weights);
    }

    @Override
    public double sumOfSquares(INDArray x) {
        KernelChecks.sumOfSquares(x);
        return elementwise.sumOfSquares(x);
    }

    @Override
    public void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment,
            AdamWStep step) {
        KernelChecks.adamW(parameter, gradient, firstMoment, secondMoment, step);
        elementwise.adamW(parameter, gradient, firstMoment, secondMoment, step);
    }

    /** Ends the worker threads and frees the scratch memory. */
    @Override
    public void close() {
        workers.close();
        products.close();
        attention.close();
    }
}
