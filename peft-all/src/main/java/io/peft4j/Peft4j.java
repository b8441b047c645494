package io.peft4j;

import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.Comparison;
import io.peft4j.eval.FactAccuracy;
import io.peft4j.eval.head.TaskComparison;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.ProgressLog;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Where a program begins: one import, and {@code var} for what comes back. There is no logic here; each method names
 * the class that it leads to, which has more.
 *
 * <pre>{@code
 * try (var base = Peft4j.load("HuggingFaceTB/SmolLM2-135M-Instruct")) {
 *     var model = base.withAdapter(Peft4j.lora().rank(16).alpha(32).build());
 *     Peft4j.trainer(model).epochs(8).learningRate(1e-3).build().train(Peft4j.chats(Path.of("handbook.jsonl")));
 *     System.out.println(model.generate("What is the notice period for a Senior Consultant?"));
 * }
 * }</pre>
 */
public final class Peft4j {
    /** All linear layers but the output layer ({@code target_modules} of an adapter). */
    public static final TargetModules ALL_LINEAR = TargetModules.ALL_LINEAR;
    /** Where an output is there already: refuse; the default everywhere. */
    public static final IfExists FAIL = IfExists.FAIL;
    /** Where an output is there already: take the next free name. */
    public static final IfExists NEXT = IfExists.NEXT;
    /** Where an output is there already: replace it. */
    public static final IfExists OVERWRITE = IfExists.OVERWRITE;

    private Peft4j() {
    }

    /**
     * A base model, see {@link BaseModel}. Close it when it is not needed any more.
     *
     * @param reference an ID on the hub, a Hugging Face folder, a GGUF file, or {@code tiny}
     * @throws io.peft4j.core.error.PeftException when there is no such model or it cannot be loaded
     */
    public static BaseModel load(String reference) {
        return BaseModel.load(reference);
    }

    /** As {@link #load(String)}, with options, for instance of the precision and the number of threads. */
    public static BaseModel load(String reference, ModelOptions options) {
        return BaseModel.load(reference, options);
    }

    /** The configuration of a LoRA adapter, see {@link LoraConfig}; for {@link BaseModel#withAdapter}. */
    public static LoraConfigBuilder lora() {
        return LoraConfig.builder();
    }

    /**
     * Conversations to train on, see {@link ChatDataset}.
     *
     * @throws io.peft4j.core.error.DataException when a row is wrong; names file and line
     */
    public static ChatDataset chats(Path file) {
        return ChatDataset.read(file);
    }

    /**
     * Questions with what a right answer is, in every form that {@link EvaluationData} reads; for {@link #facts} and
     * {@link #comparison}.
     *
     * @throws io.peft4j.core.error.DataException when a row is wrong; names file and line
     */
    public static List<EvaluationItem> questions(Path file) {
        return EvaluationData.read(file);
    }

    /** A trainer of the model's active adapters, see {@link Trainer}. */
    public static TrainerBuilder trainer(PeftModel model) {
        return Trainer.builder(model);
    }

    /**
     * A listener for {@link TrainerBuilder#listener} that gives a line at most every ten seconds, for programs that
     * have no log.
     *
     * @param lines gets each line, for instance {@code System.out::println}
     */
    public static ProgressLog progress(Consumer<String> lines) {
        return ProgressLog.to(lines);
    }

    /** Counts a model's right answers, see {@link FactAccuracy}. */
    public static FactAccuracy facts(LanguageModel model) {
        return FactAccuracy.of(model);
    }

    /** Compares a tuned classifier, tagger, reader or embedder with its base, see {@link TaskComparison}. */
    public static TaskComparison taskComparison(BaseModel base, PeftModel tuned) {
        return TaskComparison.of(base, tuned);
    }

    /** Compares base and tuned model: statistics, what was forgotten, a verdict; see {@link Comparison}. */
    public static Comparison comparison(BaseModel base, PeftModel tuned) {
        return Comparison.of(base, tuned);
    }
}
