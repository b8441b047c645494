package io.peft4j.models;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.core.option.With;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.architecture.WeightType.Blocks;
import io.peft4j.models.architecture.WeightType.Linear;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
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
 *     initialized
 * @param headSeed seed of the values of a new head; default 0
 * @param newTokens texts that become one token each where the tokenizer does not have them; embedding and output
 *     layer get a row for each, the mean of all others. Train them with {@code trainable_token_indices} or
 *     {@code modules_to_save}: an adapter then holds their rows, and is loaded on a base with the same new tokens
 * @param sharedWeights whether all processes of this machine that load the model so have its matrices of floats once:
 *     they lie in the model's own files, or, where they are kept in another type, in a file of the cache folder that
 *     the first process writes. Default: false, each process has its own
 * @param chatTemplate the text of a chat template in the place of the checkpoint's: for a base model that is to learn
 *     conversations. Adapters that are trained with it are asked with it
 * @param toolForm the form of tool calls, such as {@code hermes}, that the chat template gets: for a base model
 *     whose own shows no tools. Default: none, the template stays as it is
 * @param tokensOf the folder of an adapter that was made on a base with more tokens: the model gets the tokenizer that
 *     lies beside it, and the new rows of embedding and output layer that it holds ({@code save_embedding_layers} or
 *     {@code modules_to_save} of Hugging Face PEFT); rows that it does not hold are the mean of all others
 * @param textPart whether of an adapter for text and images the text part is loaded; default false: it is refused
 */
@With
public record ModelOptions(Precision precision, Optional<Boolean> keepBlocks, OptionalInt threads,
        Optional<Task> task, long headSeed, List<String> newTokens, boolean sharedWeights,
        Optional<String> chatTemplate, Optional<String> toolForm, Optional<Path> tokensOf, boolean textPart)
        implements
            ModelOptionsWith {
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
        ModelOptionsWith.check(precision, keepBlocks, threads, task, newTokens, chatTemplate, toolForm,
                tokensOf);
        newTokens = List.copyOf(newTokens);
        toolForm.ifPresent(ToolForm::named);
        if (newTokens.contains("")) {
            throw new ConfigurationException("a new token has no text");
        }
        if (tokensOf.isPresent() && (sharedWeights || !newTokens.isEmpty())) {
            throw new ConfigurationException("withTokensOf cannot be combined with withNewTokens or withSharedWeights");
        }
    }

    /** The form of tool calls that the chat template gets. */
    Optional<ToolForm> form() {
        return toolForm.map(ToolForm::named);
    }

    /** The defaults. */
    public static ModelOptions defaults() {
        return new ModelOptions(Precision.AUTO, Optional.empty(), OptionalInt.empty(), Optional.empty(), 0, List.of(),
                false, Optional.empty(), Optional.empty(), Optional.empty(), false);
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
}
