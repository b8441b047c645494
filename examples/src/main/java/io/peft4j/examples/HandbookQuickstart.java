package io.peft4j.examples;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.FactAccuracy;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import java.nio.file.Path;
import java.util.List;

/**
 * The README's program: a model learns a company's handbook. Arguments: the folder with {@code train.jsonl} and
 * {@code heldout.jsonl}, the output folder, and optionally the number of epochs (default 8).
 */
public final class HandbookQuickstart {
    private HandbookQuickstart() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        Path handbook = Path.of(args[0]);
        Path output = Path.of(args[1]);
        int epochs = args.length > 2 ? Integer.parseInt(args[2]) : 8;
        try (BaseModel base = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct")) {
            List<EvaluationItem> heldOut = EvaluationData.read(handbook.resolve("heldout.jsonl"));
            PeftModel model = base.withAdapter(
                    LoraConfig.builder().rank(16).alpha(32).targetModules(ALL_LINEAR).build());
            System.out.println(model.trainableSummary());
            Trainer.builder(model).epochs(epochs).learningRate(1e-3).output(output).build()
                    .train(ChatDataset.read(handbook.resolve("train.jsonl")));
            System.out.println("before: " + FactAccuracy.of(base).on(heldOut));
            System.out.println("after:  " + FactAccuracy.of(model).on(heldOut));
            System.out.println(model.generate("What is the notice period for a Senior Consultant?"));
        }
    }
}
