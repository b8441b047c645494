package io.peft4j.models;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.architecture.WeightType.Blocks;
import io.peft4j.models.architecture.WeightType.Linear;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * How a model is loaded.
 *
 * <p>A quantized base is frozen as any other: adapters on it are trained in f32 (<a
 * href="https://arxiv.org/abs/2305.14314">QLoRA</a>) with the exact gradient of the rounded weights, and their files
 * are the same. Merging an adapter gives f32 weights: the rounded ones plus the update.
 *
 * @param precision what the weights are kept in; default {@link Precision#AUTO}
 * @param keepBlocks whether quantized blocks of a GGUF file stay as they are; where empty, which is the default, those
 *     of linear layers do with {@link Precision#Q4}, and none otherwise
 * @param threads number of threads; default: the processors given to this process
 * @param task what the model is for; default what its {@code config.json} says. A head that the checkpoint lacks is
 *     made anew
 * @param headSeed seed of the values of a head that is made anew; default 0
 * @param newTokens texts that become one token each where the tokenizer does not have them; embedding and output
 *     layer get a row for each, the mean of all others. Train them with {@code trainable_token_indices} or
 *     {@code modules_to_save}: an adapter then holds their rows, and is loaded on a base with the same new tokens
 * @param sharedWeights whether all processes of this machine that load the model so have its matrices of floats once:
 *     they lie in the model's own files, or, where they are kept in another type, in a file of the cache folder that
 *     the first process writes. Default: false, each process has its own
 * @param chatTemplate the text of a chat template in the place of the checkpoint's: for a base model that is to learn
 *     conversations. Adapters that are trained with it are asked with it
 * @param tokensOf the folder of an adapter that was made on a base with more tokens: the model gets the tokenizer that
 *     lies beside it, and the new rows of embedding and output layer that it holds ({@code save_embedding_layers} or
 *     {@code modules_to_save} of Hugging Face PEFT); rows that it does not hold are the mean of all others
 */
public record ModelOptions(Precision precision, Optional<Boolean> keepBlocks, OptionalInt threads,
        Optional<Task> task, long headSeed, List<String> newTokens, boolean sharedWeights,
        Optional<String> chatTemplate, Optional<Path> tokensOf) {
    /**
     * What the weights are kept in. With the quantized ones, embedding and output layer, norms and biases are not
     * quantized, and activations are bfloat16 where the processor multiplies it faster, else f32.
     */
    public enum Precision {
        /** What the processor is fastest with and the memory holds; see {@link PrecisionChoice}. */
        AUTO,
        /** 32-bit floats: the numbers of Hugging Face in f32. */
        F32,
        /** bfloat16 weights and large activations; norms, softmax, loss and adapters in 32 bits. */
        BF16,
        /** Linear layers in bytes with a scale for each output feature: half of bf16's memory, as fast. */
        INT8,
        /**
         * Linear layers in blocks of 32 values of 4 bits with a scale and a minimum (Q4_1), or in the blocks that a
         * GGUF file holds: a third of bf16's memory. They are turned into floats when they are needed, which costs a
         * few percent of a large training step.
         */
        Q4
    }

    /** Refuses null. */
    public ModelOptions {
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(keepBlocks, "keepBlocks");
        Objects.requireNonNull(threads, "threads");
        Objects.requireNonNull(task, "task");
        newTokens = List.copyOf(newTokens);
        Objects.requireNonNull(chatTemplate, "chatTemplate");
        if (newTokens.contains("")) {
            throw new ConfigurationException("a new token has no text");
        }
        if (tokensOf.isPresent() && (sharedWeights || !newTokens.isEmpty())) {
            throw new ConfigurationException("withTokensOf cannot be combined with withNewTokens or withSharedWeights");
        }
    }

    /** The defaults. */
    public static ModelOptions defaults() {
        return new ModelOptions(Precision.AUTO, Optional.empty(), OptionalInt.empty(), Optional.empty(), 0, List.of(),
                false, Optional.empty(), Optional.empty());
    }

    /**
     * What the weights are converted to.
     *
     * @param chosen the precision, chosen where it was to be
     * @param narrow whether bfloat16 is at least as fast as f32
     */
    WeightType weightType(Precision chosen, boolean narrow) {
        boolean floats = chosen == Precision.F32 || chosen != Precision.BF16 && !narrow;
        Linear linear = switch (chosen) {
            case INT8 -> Linear.INT8;
            case Q4 -> Linear.FOUR_BIT;
            default -> Linear.DENSE;
        };
        Blocks blocks = keepBlocks.map(keep -> keep ? Blocks.KEPT : Blocks.CONVERTED)
                .orElse(chosen == Precision.Q4 ? Blocks.KEPT_IN_LINEAR : Blocks.CONVERTED);
        return new WeightType(floats ? DataType.FLOAT : DataType.BFLOAT16, linear, blocks);
    }

    /** All components, of which one is changed. */
    private final class Components {
        private Precision precision = ModelOptions.this.precision;
        private Optional<Boolean> keepBlocks = ModelOptions.this.keepBlocks;
        private OptionalInt threads = ModelOptions.this.threads;
        private Optional<Task> task = ModelOptions.this.task;
        private long headSeed = ModelOptions.this.headSeed;
        private List<String> newTokens = ModelOptions.this.newTokens;
        private boolean sharedWeights = ModelOptions.this.sharedWeights;
        private Optional<String> chatTemplate = ModelOptions.this.chatTemplate;
        private Optional<Path> tokensOf = ModelOptions.this.tokensOf;
    }

    private ModelOptions with(Consumer<Components> change) {
        Components all = new Components();
        change.accept(all);
        return new ModelOptions(all.precision, all.keepBlocks, all.threads, all.task, all.headSeed, all.newTokens,
                all.sharedWeights, all.chatTemplate, all.tokensOf);
    }

    /** The same with another precision. */
    public ModelOptions withPrecision(Precision newPrecision) {
        return with(all -> all.precision = newPrecision);
    }

    /** The same with quantized blocks kept, also those of embedding and output layer, or none of them kept. */
    public ModelOptions withKeepBlocks(boolean keep) {
        return with(all -> all.keepBlocks = Optional.of(keep));
    }

    /** The same with another number of threads. */
    public ModelOptions withThreads(int count) {
        return with(all -> all.threads = OptionalInt.of(count));
    }

    /** The same for a task, for instance {@code Task.classification("billing", "login")}. */
    public ModelOptions withTask(Task wanted) {
        return with(all -> all.task = Optional.of(wanted));
    }

    /** The same with other values of a head that is made anew. */
    public ModelOptions withHeadSeed(long seed) {
        return with(all -> all.headSeed = seed);
    }

    /** The same with more tokens. */
    public ModelOptions withNewTokens(String... texts) {
        return with(all -> all.newTokens = List.of(texts));
    }

    /** The same, with weights that processes of this machine have in common, or not. */
    public ModelOptions withSharedWeights(boolean shared) {
        return with(all -> all.sharedWeights = shared);
    }

    /**
     * The same with another chat template.
     *
     * @param text the template in Jinja, as in a checkpoint's {@code chat_template.jinja}
     */
    public ModelOptions withChatTemplate(String text) {
        return with(all -> all.chatTemplate = Optional.of(text));
    }

    /** The same with the vocabulary of an adapter that was made on a base with more tokens. */
    public ModelOptions withTokensOf(Path adapter) {
        return with(all -> all.tokensOf = Optional.of(adapter));
    }
}
