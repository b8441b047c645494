package io.peft4j.examples;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.task.PreferenceRows;
import io.peft4j.eval.PreferenceComparison;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.DpoObjective;
import java.nio.file.Path;

/**
 * A model that learns which of two answers is better. Arguments: the folder with {@code train.jsonl} and
 * {@code heldout.jsonl}, an output folder, and where not the usual ones are asked, a file of general questions.
 */
public final class PreferAnswers {
    private PreferAnswers() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        try (BaseModel base = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct")) {
            PeftModel model = base.withAdapter(
                    LoraConfig.builder().rank(16).alpha(32).targetModules(ALL_LINEAR).build());
            Trainer.builder(model).output(Path.of(args[1])).build()
                    .train(new DpoObjective(model), PreferenceRows.pairs(Path.of(args[0], "train.jsonl")));
            System.out.println(PreferenceComparison.of(base, model)
                    .guard(args.length > 2 ? GuardSet.read(Path.of(args[2])) : GuardSet.builtIn())
                    .on(PreferenceRows.pairs(Path.of(args[0], "heldout.jsonl"))).verdict());
        }
    }
}
