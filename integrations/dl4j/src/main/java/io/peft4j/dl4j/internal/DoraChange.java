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

    /** In a new adapter V is what the layer would compute with as LoRA. */
    @Override
    public void begin(AdaptedWeight weight, RandomGenerator random) {
        super.begin(weight, random);
        WeightMatrix v = weight.kept().matrix();
        v.array().assign(weight.frozen().array());
        addTo(v, weight);
        weight.value(magnitude).assign(v.lengths());
    }

    @Override
    public void apply(AdaptedWeight weight) {
        super.apply(weight);
        INDArray lengths = weight.kept().outputs();
        lengths.assign(weight.changed().lengths());
        // Outputs of zeros have no direction: they stay zeros.
        BooleanIndexing.replaceWhere(lengths, 1, Conditions.equals(0));
        WeightMatrix u = weight.kept().matrix();
        weight.changed().timesOutputs(lengths.rdiv(1), u);
        u.timesOutputs(weight.value(magnitude), weight.changed());
    }

    @Override
    public void backward(AdaptedWeight weight) {
        WeightMatrix u = weight.kept().matrix();
        WeightMatrix gradient = weight.gradient();
        INDArray dm = weight.gradientOf(magnitude);
        dm.assign(u.sumOverInputs(gradient));
        WeightMatrix along = u.another();
        u.timesOutputs(dm, along);
        gradient.array().subi(along.array());
        gradient.scaleOutputs(weight.value(magnitude).div(weight.kept().outputs()));
        super.backward(weight);
    }
}
