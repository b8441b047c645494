package io.peft4j.dl4j.internal;

import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.conditions.Conditions;

/**
 * DoRA: {@code W'_j = m_j V_j / |V_j|} for each output j, {@code V = W + s A^T B^T}, m [out], which begins at |V|.
 * Gradients, with {@code u = V / |V|}: {@code dm_j = u_j . dW'_j} and {@code dV_j = m_j / |V_j| (dW'_j - u_j dm_j)}.
 * They are those of the formula; Hugging Face PEFT takes |V| for a constant to save memory.
 */
final class DoraChange extends LoraChange {
    private final Tensor magnitude;

    DoraChange(Weight weight, int rank, double scaling, LoraInit init) {
        super(weight, rank, scaling, init);
        this.magnitude = new Tensor("lora_magnitude_vector", "loraMagnitude", 0, weight.outputs(),
                weight.kernel().isEmpty() ? new long[] {weight.outputs()}
                : weight.fileShape(1, weight.outputs(), false));
    }

    @Override
    public List<Tensor> tensors() {
        return Stream.concat(super.tensors().stream(), Stream.of(magnitude)).toList();
    }

    @Override
    public void begin(AdaptedWeight weight, RandomGenerator random) {
        super.begin(weight, random);
        weight.value(magnitude).assign(directions(weight).lengths());
    }

    /** V. */
    private WeightMatrix directions(AdaptedWeight weight) {
        WeightMatrix v = weight.frozen().copy();
        v.addProduct(weight.value(tensors().get(0)), weight.value(tensors().get(1)), scaling());
        return v;
    }

    /** Outputs of zeros have no direction: they stay zeros. */
    private static INDArray divisors(INDArray lengths) {
        BooleanIndexing.replaceWhere(lengths, 1, Conditions.equals(0));
        return lengths;
    }

    @Override
    public void apply(AdaptedWeight weight) {
        super.apply(weight);
        weight.changed().scaleOutputs(weight.value(magnitude).div(divisors(weight.changed().lengths())));
    }

    @Override
    public void backward(AdaptedWeight weight) {
        WeightMatrix u = directions(weight);
        INDArray lengths = divisors(u.lengths());
        u.scaleOutputs(lengths.rdiv(1));
        INDArray dm = weight.gradientOf(magnitude);
        dm.assign(u.sumOverInputs(weight.gradient()));
        u.scaleOutputs(dm.neg());
        u.array().addi(weight.gradient().array());
        u.scaleOutputs(weight.value(magnitude).div(lengths));
        backward(weight, u);
    }
}
