package io.peft4j.lora;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.TrainingHook;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What a layer of LoRA does in another way in training, and there alone. */
interface LoraVariant {
    /** {@code h = x A^T}: x [N, in], A [r, in], h [N, r]. */
    Variable down(ForwardContext context, Variable x, Variable a);

    /** Whether that averages over the rows of a batch. */
    default boolean averages() {
        return false;
    }

    /** What is stored beside A and B. */
    List<AdapterTensor> tensors();

    /** Called when a training begins; {@code goesOn} where one is resumed whose tensors have been read back. */
    default void begin(boolean goesOn) {
    }

    /**
     * Adds the gradients of a term of the loss.
     *
     * @param seed of random numbers
     * @param factor that the term is multiplied by
     * @return its value
     */
    default double addToGradients(long seed, double factor) {
        return 0;
    }

    /** The variants of an adapter in a training. */
    record Hook(List<? extends LoraVariant> variants) implements TrainingHook {
        public Hook {
            variants.forEach(variant -> variant.begin(false));
        }

        @Override
        public void resumed() {
            variants.forEach(variant -> variant.begin(true));
        }

        /** The mean of the layers' terms, of draws that are the same in all workers of a training. */
        @Override
        public double addToGradients(long step) {
            SplittableRandom seeds = new SplittableRandom(step);
            return variants.stream().mapToDouble(variant -> variant.addToGradients(seeds.nextLong(),
                    1.0 / variants.size())).sum();
        }

        /** What changes in training and is not trained. */
        @Override
        public Map<String, INDArray> arrays() {
            Map<String, INDArray> arrays = new LinkedHashMap<>();
            variants.stream().flatMap(variant -> variant.tensors().stream()).filter(tensor -> !tensor.isTrainable())
                    .forEach(tensor -> arrays.put(tensor.parameter().name(), tensor.parameter().value()));
            return arrays;
        }
    }
}
