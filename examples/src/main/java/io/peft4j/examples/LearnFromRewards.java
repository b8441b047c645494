package io.peft4j.examples;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.data.task.RowKind;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.SampledObjective;
import io.peft4j.train.objective.SamplingOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model that learns to read invoices from rewards: first from some examples, then from its own answers, which a
 * lambda grades. Arguments: a model, the folder with {@code payments*.jsonl}, and an output folder.
 */
public final class LearnFromRewards {
    private LearnFromRewards() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        Grader grader = (item, answer) -> answer.strip().equals(item.get("answer")) ? 1 : 0;
        List<AnswerGroup> prompts = RowKind.PROMPTS.read(DataFile.of(Path.of(args[1], "payments.jsonl")));
        List<AnswerGroup> heldOut = RowKind.PROMPTS.read(DataFile.of(Path.of(args[1], "payments-heldout.jsonl")));
        try (BaseModel base = BaseModel.load(args[0])) {
            PeftModel model = base.withAdapter(
                    LoraConfig.builder().rank(16).alpha(32).targetModules(ALL_LINEAR).build());
            Trainer.builder(model).build().train(ChatDataset.read(Path.of(args[1], "payments-sft.jsonl")));
            GroupOptions options = GroupOptions.grpo().withMaxCompletionLength(24, false);
            System.out.println(Trainer.builder(model).output(Path.of(args[2])).build()
                    .train(new SampledObjective(new GroupObjective(model, options), Grading.by(grader),
                            SamplingOptions.defaults(), Optional.empty()), prompts, heldOut));
        }
    }
}
