package io.peft4j.serve.model;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.eval.ShippingCheck;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What is written of a tuned model: base and adapter as one GGUF file, for other programs.
 *
 * @param type type of the matrices
 * @param proof what must be kept, where that is proved
 */
public record MergedFile(BlockType type, Optional<Proof> proof) {
    /** Refuses null. */
    public MergedFile {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(proof, "proof");
    }

    /**
     * Held-out questions that are asked before, and again of the file.
     *
     * @param questions the questions
     * @param mostLoss how many points, percent of the questions, fewer may be right
     */
    public record Proof(List<EvaluationItem> questions, double mostLoss) {
        /** How many points fewer may be right where nothing is said. */
        public static final double USUAL_LOSS = 2;

        /** Checks the loss. */
        public Proof {
            questions = List.copyOf(questions);
            if (!(mostLoss >= 0 && mostLoss <= 100)) {
                throw new ConfigurationException("the accepted loss is " + mostLoss
                        + "; it must be from 0 to 100 points");
            }
        }
    }

    /**
     * Writes it. The base is loaded again, in f32.
     *
     * @param name what the model is called in the file
     * @param target the file; one that is there is replaced
     * @param look runs between the tokens of answers; may throw to give up, and nothing is written then
     * @return what was proved
     * @throws ConfigurationException when too much is lost, or the model has no place in such a file; nothing is
     *     written then
     * @throws java.io.UncheckedIOException when the file cannot be written
     */
    public Optional<ShippingCheck> write(BaseModel base, Path adapter, String name, Path target,
            Runnable look) {
        AtomicReference<ShippingCheck> proved = new AtomicReference<>();
        try (BaseModel exact = base.again(ModelOptions.Precision.F32); PeftModel tuned = exact.withAdapter(adapter)) {
            ModelExport export = ModelExport.of(tuned).type(type).name(name).ifExists(IfExists.OVERWRITE);
            proof.ifPresent(own -> {
                GenerationOptions answers = GenerationOptions.defaults().withListener((answer, piece) -> {
                    look.run();
                    return true;
                });
                ShippingCheck.Asked before = ShippingCheck.ask(tuned, own.questions(), answers).requireRight();
                export.proof(written -> proved.set(ShippingCheck.between(before, ShippingCheck.ask(written,
                        own.questions(), answers)).require(own.mostLoss())));
            });
            export.toGguf(target);
        }
        return Optional.ofNullable(proved.get());
    }
}
