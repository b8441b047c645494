package io.peft4j.models;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.models.architecture.WeightType;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * How a model is loaded.
 *
 * @param precision what the model computes in; default {@link Precision#AUTO}
 * @param keepBlocks whether quantized blocks of a GGUF file stay as they are (less memory, slower); default false
 * @param threads number of threads; default: the processors given to this process
 */
public record ModelOptions(Precision precision, boolean keepBlocks, OptionalInt threads) {
    /** What the model computes in. */
    public enum Precision {
        /** bf16 where the processor multiplies it faster than f32, else f32. */
        AUTO,
        /** 32-bit floats: the numbers of Hugging Face in f32. */
        F32,
        /** bfloat16 weights and large activations; norms, softmax, loss and adapters in 32 bits. */
        BF16
    }

    /** Refuses null. */
    public ModelOptions {
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(threads, "threads");
    }

    /** The defaults. */
    public static ModelOptions defaults() {
        return new ModelOptions(Precision.AUTO, false, OptionalInt.empty());
    }

    /** What the weights are converted to for the given kernels. */
    WeightType weightType(Kernels kernels) {
        boolean narrow = precision == Precision.BF16 || precision == Precision.AUTO && kernels.prefersBFloat16();
        if (keepBlocks) {
            return narrow ? WeightType.BLOCKS_BF16 : WeightType.BLOCKS_F32;
        }
        return narrow ? WeightType.BF16 : WeightType.F32;
    }

    /** The same with another precision. */
    public ModelOptions withPrecision(Precision newPrecision) {
        return new ModelOptions(newPrecision, keepBlocks, threads);
    }

    /** The same with quantized blocks kept or not. */
    public ModelOptions withKeepBlocks(boolean keep) {
        return new ModelOptions(precision, keep, threads);
    }

    /** The same with another number of threads. */
    public ModelOptions withThreads(int count) {
        return new ModelOptions(precision, keepBlocks, OptionalInt.of(count));
    }
}
