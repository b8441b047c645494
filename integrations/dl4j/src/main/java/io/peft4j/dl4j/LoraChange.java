package io.peft4j.dl4j;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA: {@code W' = W + s A^T B^T}, A [r, in], B [out, r], as DeepLearning4J writes weights, [in, out]. Of a
 * convolution, A is a convolution with r outputs and B one of a single position, as in Hugging Face PEFT. Gradients:
 * {@code dA = s B^T dW'^T}, {@code dB = s dW'^T A^T}.
 */
class LoraChange implements WeightUpdate {
    private final Tensor a;
    private final Tensor b;
    private final double scaling;
    private final Initializer firstA;
    private final Initializer firstB;

    LoraChange(Weight weight, int rank, double scaling, LoraInit init) {
        String suffix = weight.embedding() ? "" : ".weight";
        String name = weight.embedding() ? "lora_embedding_" : "lora_";
        this.scaling = scaling;
        this.a = new Tensor(name + "A" + suffix, "loraA", rank, weight.rows(),
                weight.fileShape(rank, weight.inputs(), true));
        this.b = new Tensor(name + "B" + suffix, "loraB", weight.outputs(), rank,
                weight.fileShape(weight.outputs(), rank, false));
        this.firstA = weight.embedding() ? init.embeddingA() : init.a(rank, weight.rows());
        this.firstB = weight.embedding() ? Initializer.normal(1) : init.b(rank);
    }

    @Override
    public List<Tensor> tensors() {
        return List.of(a, b);
    }

    @Override
    public void begin(AdaptedWeight weight, RandomGenerator random) {
        fill(weight.value(a), firstA, random);
        fill(weight.value(b), firstB, random);
    }

    /** Core's initializers fill arrays in c order, of floats. */
    static void fill(INDArray target, Initializer initializer, RandomGenerator random) {
        try (INDArray values = Arrays.zeros(DataType.FLOAT, target.shape())) {
            initializer.fill(values, random);
            target.assign(values.castTo(target.dataType()));
        }
    }

    @Override
    public void apply(AdaptedWeight weight) {
        addTo(weight.changed(), weight);
    }

    final void addTo(WeightMatrix matrix, AdaptedWeight weight) {
        matrix.addProduct(weight.value(a), weight.value(b), scaling);
    }

    @Override
    public void backward(AdaptedWeight weight) {
        weight.gradient().gradientOfA(weight.value(b), weight.gradientOf(a), scaling);
        weight.gradient().gradientOfB(weight.value(a), weight.gradientOf(b), scaling);
    }
}
