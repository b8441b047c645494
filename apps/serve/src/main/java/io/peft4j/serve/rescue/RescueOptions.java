package io.peft4j.serve.rescue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import io.peft4j.core.weight.BlockType;
import io.peft4j.eval.judge.Endpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How a rescue goes about.
 *
 * @param only names of tuned models; empty: all
 * @param questions most questions that a model is asked
 * @param samples answers to each: the likeliest, and others that are drawn with temperature {@value #TEMPERATURE}
 * @param maxNewTokens longest answer in tokens
 * @param train whether models are trained here, and compared; otherwise only data and answers are fetched
 * @param prompts a file of chats whose questions are asked in place of held-out rows
 * @param assertions a file of assertions that new models must pass, see {@link Assertions}
 * @param judge the model that grades where an assertion asks for one; its server knows structured outputs
 * @param merge what is written of each new model besides its adapter
 * @param decisions whether a model whose answers are few and short becomes one that chooses between them
 */
@With
public record RescueOptions(List<String> only, @Option(range = "[1,)") int questions,
        @Option(range = "[1,)") int samples, @Option(range = "[1,)") int maxNewTokens, boolean train,
        Optional<Path> prompts, Optional<Path> assertions, Optional<Endpoint> judge, Optional<Merge> merge,
        boolean decisions) implements RescueOptionsWith {
    /**
     * A GGUF file of base and adapter, {@value Merge#MERGED} beside the adapter.
     *
     * @param type type of the matrices, see {@link io.peft4j.models.export.ModelExport#type}
     * @param mostLoss how many points, percent of the questions, fewer may be right in the file; empty: nothing is
     *     asked of it
     */
    public record Merge(BlockType type, OptionalDouble mostLoss) {
        /** The file. */
        public static final String MERGED = "merged.gguf";
        /** Where the file of an earlier rescue goes when none is written any more. */
        public static final String FORMER = "merged-former.gguf";
    }

    /** Of the answers that are drawn. */
    static final double TEMPERATURE = 0.7;

    /** Checks the values. */
    public RescueOptions {
        RescueOptionsWith.check(only, questions, samples, maxNewTokens, prompts, assertions, judge, merge);
        only = List.copyOf(only);
        if (merge.isPresent() && !train) {
            throw new ConfigurationException("nothing is trained, so there is nothing to merge");
        }
    }

    /** All models, 50 questions each, three answers of at most 256 tokens to each, trained here. */
    public static RescueOptions defaults() {
        return new RescueOptions(List.of(), 50, 3, 256, true, Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), false);
    }
}
