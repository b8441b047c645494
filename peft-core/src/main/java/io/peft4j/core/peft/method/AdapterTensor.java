package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.safetensors.TensorData;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A tensor of an adapter, as it is computed with and as it is stored. Made by {@link AdapterSetup}.
 *
 * <p>A tensor may be held transposed, [V, r] for a file's [r, V], where that suits the computation; it may be frozen,
 * and then is stored but not trained; and it may take the place of a parameter of the base model (a trained bias), and
 * then does not add to the number of parameters.
 */
public final class AdapterTensor implements AutoCloseable {
    private final String name;
    private final Parameter parameter;
    private final boolean transposed;
    private final boolean trainable;
    private final boolean partOfBase;
    private final boolean trainingOnly;

    AdapterTensor(String name, Parameter parameter, boolean transposed) {
        this(name, parameter, transposed, true, false, false);
    }

    private AdapterTensor(String name, Parameter parameter, boolean transposed, boolean trainable,
            boolean partOfBase, boolean trainingOnly) {
        this.name = Objects.requireNonNull(name, "name");
        this.parameter = Objects.requireNonNull(parameter, "parameter");
        this.transposed = transposed;
        this.trainable = trainable;
        this.partOfBase = partOfBase;
        this.trainingOnly = trainingOnly;
    }

    /** The name in the file: after the path of the place and a dot, or a whole key for a shared tensor. */
    public String name() {
        return name;
    }

    /** The values, FLOAT. */
    public Parameter parameter() {
        return parameter;
    }

    /** Whether the values are held as the transpose of what the file holds. */
    public boolean isTransposed() {
        return transposed;
    }

    /** Whether it is trained. */
    public boolean isTrainable() {
        return trainable;
    }

    /** Whether it takes the place of a parameter that the base model has. */
    public boolean isPartOfBase() {
        return partOfBase;
    }

    /** The same tensor, stored but not trained. */
    public AdapterTensor frozen() {
        return new AdapterTensor(name, parameter, transposed, false, partOfBase, trainingOnly);
    }

    /** The same tensor, counted as a parameter of the base model. */
    public AdapterTensor inPlaceOfBase() {
        return new AdapterTensor(name, parameter, transposed, trainable, true, trainingOnly);
    }

    /**
     * A second use of the values, which the file holds once more as their transpose: neither trained nor counted again.
     */
    public AdapterTensor transposedAs(String otherName) {
        return new AdapterTensor(otherName, parameter, !transposed, false, true, trainingOnly);
    }

    /**
     * The same tensor, not among those of the adapter that Hugging Face PEFT reads: stored beside them, so that a
     * training can go on.
     */
    public AdapterTensor forTraining() {
        return new AdapterTensor(name, parameter, transposed, trainable, partOfBase, true);
    }

    /** Whether it is only {@linkplain #forTraining() for training}. */
    public boolean isForTraining() {
        return trainingOnly;
    }

    /** The memory that the values take, in bytes. */
    public long bytes() {
        return Float.BYTES * parameter.length();
    }

    /** Dimensions in the file. */
    public long[] fileShape() {
        long[] shape = parameter.value().shape();
        return transposed ? new long[] {shape[1], shape[0]} : shape;
    }

    /** The values as they stand in the file. */
    @Internal
    public TensorData stored() {
        return transposed ? TensorData.f32(fileShape(), inFileOrder()) : TensorData.of(parameter.value());
    }

    /** The values in the order of the file. */
    float[] inFileOrder() {
        INDArray held = parameter.value();
        float[] values = Arrays.toFloats(held);
        return transposed ? Arrays.transposed(values, Arrays.rows(held), Arrays.columns(held)) : values;
    }

    @Override
    public void close() {
        parameter.close();
    }

    @Override
    public String toString() {
        return parameter.name() + " " + java.util.Arrays.toString(fileShape()) + (trainable ? "" : ", not trained");
    }
}
